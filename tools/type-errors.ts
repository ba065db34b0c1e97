/**
 * Programs that must not compile, and the message that their author must read.
 *
 * A fixture is a file with one or more comments `// expect: <text>`. Each text must be in one of the file's errors, and
 * each error must have one of the texts: an error that nobody expected is a broken fixture, not a proof.
 */
import { readdirSync, readFileSync } from "node:fs"
import { basename, dirname, join } from "node:path"
import { compile, type Diagnostic } from "./tsgo.ts"

/** What the compiler should say about a file and what it said. */
export interface Fixture {
  readonly name: string
  readonly expected: ReadonlyArray<string>
  readonly said: ReadonlyArray<string>
}

/** Why a fixture does not prove anything; empty when all is well. */
export const problems = ({ expected, said }: Fixture): ReadonlyArray<string> => [
  ...(expected.length === 0 ? ["it has no `// expect: <text>`"] : []),
  ...(said.length === 0 ? ["it compiles"] : []),
  ...expected.filter((text) => !said.some((message) => message.includes(text))).map((text) => `no error says: ${text}`),
  ...said.filter((message) => !expected.some((text) => message.includes(text))).map((message) =>
    `unexpected: ${message}`
  )
]

/** The texts after `// expect:` in a file. */
export const expectations = (text: string): ReadonlyArray<string> =>
  Array.from(text.matchAll(/^\s*\/\/ expect: (.+)$/gm), ([, expected]) => expected!.trim())

/** Compiles a folder of fixtures, given its tsconfig. */
export const read = (
  project: string,
  run: (project: string) => ReadonlyArray<Diagnostic> = compile
): ReadonlyArray<Fixture> => {
  const folder = dirname(project)
  const diagnostics = run(project)
  return readdirSync(folder).filter((name) => name.endsWith(".ts")).map((name) => ({
    name: basename(name, ".ts"),
    expected: expectations(readFileSync(join(folder, name), "utf8")),
    said: diagnostics.filter(({ file }) => file === join(folder, name)).map(({ message }) => message)
  }))
}
