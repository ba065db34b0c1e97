/**
 * The compiler with Effect's diagnostics, as a function: what it says about a project, as data.
 *
 * When to reach for it: a check that compiles files on purpose and looks at the errors.
 * What it is not: what `pnpm types` runs; that is the compiler itself.
 */
import { execFileSync, spawnSync } from "node:child_process"
import { join, resolve } from "node:path"

/** The root of the repository. */
export const root = resolve(import.meta.dirname, "..")

/** One error or warning. */
export interface Diagnostic {
  /** Absolute. */
  readonly file: string
  readonly line: number
  readonly column: number
  /** All lines of the message, from the general to the particular. */
  readonly message: string
}

/** Splits the compiler's output; paths are relative to `cwd`. Throws when it is something else than diagnostics. */
export const parse = (output: string, cwd: string): ReadonlyArray<Diagnostic> => {
  const diagnostics: Array<{ -readonly [K in keyof Diagnostic]: Diagnostic[K] }> = []
  for (const line of output.split("\n")) {
    const head = /^(\S.*)\((\d+),(\d+)\): (?:error|warning|message|suggestion) TS\d+: (.*)$/.exec(line)
    const last = diagnostics.at(-1)
    if (head !== null) {
      const [, file = "", row, column, message = ""] = head
      diagnostics.push({ file: resolve(cwd, file), line: Number(row), column: Number(column), message })
    } else if (last !== undefined && /^\s+\S/.test(line)) last.message += `\n${line}`
    else if (line.trim() !== "" && !/^Found \d+ error/.test(line)) throw new Error(`the compiler said: ${output}`)
  }
  return diagnostics
}

/** Compiles a project (the path of a tsconfig) without writing anything. */
export const compile = (project: string): ReadonlyArray<Diagnostic> => {
  const bin = join(root, "node_modules/.bin/effect-tsgo")
  const compiler = execFileSync(bin, ["get-exe-path"], { encoding: "utf8" }).trim()
  const { status, stderr, stdout } = spawnSync(compiler, ["-p", project, "--pretty", "false"], {
    cwd: root,
    encoding: "utf8"
  })
  const diagnostics = parse(stdout, root)
  if (status !== 0 && diagnostics.length === 0) throw new Error(`the compiler failed (${status}): ${stdout}${stderr}`)
  return diagnostics
}
