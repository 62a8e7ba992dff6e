-- Functions that tests call. The harness installs the files of this folder in the order of their names, after the migrations.
create schema if not exists tests;
grant usage on schema tests to public;
comment on schema tests is 'Functions that tests call; never part of the product.';
