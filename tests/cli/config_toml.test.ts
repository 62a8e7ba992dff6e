import assert from "node:assert/strict";
import { addFunctions, removeFunctions } from "../../cli/lib/config_toml.ts";
import { Refusal } from "../../cli/lib/failure.ts";

const NAMES = ["derive-dxy", "registry-sync"];

const section = (name: string) =>
  `[functions.${name}]\n# It checks a named secret key itself: the platform asks for no JWT.\nverify_jwt = false\n`;
const ADDED = NAMES.map(section).join("\n");

const FILES: Record<string, string> = {
  "only project_id": `project_id = "x"\n`,
  "comments and sections":
    `# My project\nproject_id = "x" # here\n\n[api]\n# Which schemas\nschemas = ["public"]\n\n# [db]\n# port = 1\n`,
  "another function":
    `project_id = "x"\n\n[functions.hello]\nverify_jwt = true\n\n[remotes.staging]\nproject_id = "y"\n`,
};

for (const [name, text] of Object.entries(FILES)) {
  Deno.test(`addFunctions() changes nothing but its own sections: ${name}`, () => {
    const added = addFunctions(text, NAMES);
    assert.equal(added, `${text}\n${ADDED}`);
    assert.equal(addFunctions(added, NAMES), added);
    assert.equal(removeFunctions(added, NAMES), text);
  });
}

Deno.test("addFunctions() begins a file that is empty, and ends a last line that has no end", () => {
  assert.equal(addFunctions("", NAMES), ADDED);
  assert.equal(addFunctions(`project_id = "x"`, NAMES), `project_id = "x"\n\n${ADDED}`);
});

Deno.test("addFunctions() keeps line ends of Windows", () => {
  const text = `project_id = "x"\r\n`;
  const added = addFunctions(text, NAMES);
  assert.equal(added, `${text}\r\n${ADDED.replaceAll("\n", "\r\n")}`);
  assert.equal(removeFunctions(added, NAMES), text);
});

Deno.test("addFunctions() switches the check of a JWT off in a section that is there", () => {
  const text =
    `[functions.derive-dxy]\nenabled = true\n\n[functions."registry-sync"] # mine\nverify_jwt = true # yes\n\n[db]\nport = 1\n`;
  assert.equal(
    addFunctions(text, NAMES),
    `[functions.derive-dxy]\nverify_jwt = false\nenabled = true\n\n` +
      `[functions."registry-sync"] # mine\nverify_jwt = false # yes\n\n[db]\nport = 1\n`,
  );
});

Deno.test("addFunctions() refuses a form that it does not edit, and a file that is no TOML", () => {
  const forms = [
    `functions = { derive-dxy = { verify_jwt = true } }\n`,
    `functions.derive-dxy.verify_jwt = true\n`,
    `[functions]\nderive-dxy = { verify_jwt = true }\n`,
    `project_id = \n`,
  ];
  for (const text of forms) assert.throws(() => addFunctions(text, NAMES), Refusal, text);
});

Deno.test("addFunctions() does not take text in a string for a section", () => {
  const text = `note = """\n[functions.derive-dxy]\n"""\n`;
  assert.equal(addFunctions(text, NAMES), `${text}\n${ADDED}`);
});

Deno.test("removeFunctions() leaves comments and sections that follow", () => {
  const text = `project_id = "x"\n\n${section("derive-dxy")}\n# About the database\n[db]\nport = 1\n`;
  assert.equal(removeFunctions(text, NAMES), `project_id = "x"\n\n# About the database\n[db]\nport = 1\n`);
});
