/** What the program ends with: 0 everything is fine, 1 something is wrong or was refused, 2 it could not work. */
export type ExitCode = 0 | 1 | 2;

/** The program will not do what it was asked for. It has changed nothing. Ends the program with 1. */
export class Refusal extends Error {
  override readonly name = "Refusal";
}

/** The program could not work: bad arguments, no connection, a missing file. Ends the program with 2. */
export class Failure extends Error {
  override readonly name = "Failure";
}
