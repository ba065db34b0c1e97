/**
 * The page of errors: `docs/errors.md`, from the tables that the errors' own messages are made of. `pnpm errors` writes
 * it; `--check` only compares it.
 *
 * What is checked: no code stands twice, in one table or in two, and each has the form of one. Each check is shown to
 * fail in `tools/test/errors.test.ts`.
 */
import * as Schema from "effect/Schema"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { load } from "./LegacyNames.ts"
import { root } from "./tsgo.ts"

// --- the data ---------------------------------------------------------------------------------------------------------

const Entry = Schema.Struct({
  code: Schema.NonEmptyString,
  exitStatus: Schema.optionalKey(Schema.Literals([1, 2])),
  sentence: Schema.NonEmptyString,
  expected: Schema.NonEmptyString,
  hint: Schema.NonEmptyString
})

const Refusal = Schema.Struct({ status: Schema.Int, detail: Schema.NonEmptyString })

/** An error: its code, what happened, what was expected, what to do. */
type Entry = typeof Entry.Type

/** What a request is answered that no handler sees. */
type Refusal = typeof Refusal.Type

/** The errors of one module. */
export interface Table {
  readonly file: string
  readonly title: string
  /** Who fails with them. */
  readonly about: string
  /** By the tag of their class, or by their reason where they share one. */
  readonly entries: Readonly<Record<string, Entry>>
  /** The class that they share. */
  readonly tag?: string
  /** What to do, by the system's code. */
  readonly hints?: Readonly<Record<string, string>>
}

/** Where the tables are: the module, and the exports of it that hold hints. */
const sources: ReadonlyArray<Omit<Table, "entries" | "hints"> & { readonly hintsOf?: string }> = [
  {
    file: "packages/core/src/KoreError.ts",
    title: "The server",
    about: "`Kore.main` fails with them, and the parent process writes them to its log.",
    hintsOf: "listenHints"
  },
  {
    file: "packages/core/src/SocketError.ts",
    title: "Sockets",
    about: "The functions of `Socket` fail with them.",
    tag: "SocketError",
    hintsOf: "hints"
  },
  {
    file: "packages/proc/src/ProcError.ts",
    title: "Child processes",
    about: "The functions of `Proc` fail with them.",
    tag: "ProcError",
    hintsOf: "hints"
  },
  {
    file: "packages/cli/src/CliError.ts",
    title: "The command line",
    about: "The command `kore-fx` prints them; [its page](cli.md) says more."
  }
]

const decode = <A>(schema: Schema.Codec<A, unknown>, value: unknown, file: string): A => {
  try {
    return Schema.decodeUnknownSync(schema)(value, { onExcessProperty: "error" })
  } catch (error) {
    throw new Error(`${file}: its table is none of errors: ${(error as Error).message}`, { cause: error })
  }
}

/** All tables. */
export const read = (): Promise<ReadonlyArray<Table>> =>
  Promise.all(sources.map(async ({ hintsOf, ...source }) => {
    const module = await load(source.file)
    const entries = decode(Schema.Record(Schema.String, Entry), module.table, source.file)
    if (hintsOf === undefined) return { ...source, entries }
    return {
      ...source,
      entries,
      hints: decode(Schema.Record(Schema.String, Schema.String), module[hintsOf], source.file)
    }
  }))

const refusals = "packages/http/src/transport/Refusal.ts"

/** All refusals. */
export const readRefusals = async (): Promise<ReadonlyArray<Refusal>> => {
  const { all, OVERLOADED } = await load(refusals)
  return decode(Schema.Array(Refusal), [...all(), OVERLOADED], refusals)
}

// --- the checks -------------------------------------------------------------------------------------------------------

/** What is wrong, and what to do, one line each. */
export const check = (tables: ReadonlyArray<Table>): ReadonlyArray<string> => {
  const places = new Map<string, string>()
  return tables.flatMap(({ entries, file }) =>
    Object.entries(entries).flatMap(([name, { code }]) => {
      const place = `${file}: ${name}`
      const other = places.get(code)
      places.set(code, place)
      if (!/^KORE(_[A-Z0-9]+)+$/.test(code)) return `${place} has the code ${code}, expected one such as KORE_CONFIG`
      return other === undefined ? [] : `${place} has the code ${code}, and ${other} has it too: choose another one`
    })
  )
}

// --- the page ---------------------------------------------------------------------------------------------------------

// Fields of the error become code; what is code stays it.
const text = (template: string): string =>
  template.split(/(`[^`]*`|\{\w+\})/).map((part, index) =>
    index % 2 === 0 ? part.replace(/[\\|<>*_[\]]/g, "\\$&") : part.startsWith("{") ? `\`${part}\`` : part
  ).join("").replaceAll("}``{", "}` `{").replace(/\n */g, "<br>")

// A message that depends on the case says it itself.
const line = (label: string, template: string): string =>
  `* ${label}: ${/^\{\w+\}\.?$/.test(template) ? "the message says it." : text(template)}`

const table = (head: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): string =>
  [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n")

const errorPart = (name: string, { code, exitStatus, expected, hint, sentence }: Entry, self: Table): string => {
  const kind = self.tag === undefined ? `\`${name}\`` : `\`${self.tag}\` with the reason \`${name}\``
  const isBySystem = hint === "{hint}" && self.hints !== undefined
  return [
    `### ${code}`,
    `${kind}${exitStatus === undefined ? "" : `, exit status ${exitStatus}`}.`,
    [
      line("What happened", sentence),
      line("What was expected", expected),
      isBySystem ? "* What to do: see the table of the system's codes below." : line("What to do", hint)
    ].join("\n")
  ].join("\n\n")
}

const part = (self: Table): string => {
  const entries = Object.entries(self.entries)
  const isHandled = entries.every(([, { exitStatus }]) => exitStatus === undefined)
  const parts = [
    `## ${self.title}`,
    `${self.about}${
      isHandled ? " They are for the program to handle; one that ends a process does so with status 1." : ""
    }`,
    ...entries.map(([name, entry]) => errorPart(name, entry, self))
  ]
  if (self.hints !== undefined) {
    const rows = Object.entries(self.hints).map(([code, hint]) => [`\`${code}\``, text(hint)])
    parts.push(`### What to do about the system's code: ${self.title.toLowerCase()}`,
      table(["code", "what to do"], rows))
  }
  return parts.join("\n\n")
}

/** The page of all errors. */
export const page = (tables: ReadonlyArray<Table>, refusals: ReadonlyArray<Refusal>): string =>
  `${
    [
      "<!-- Written by tools/errors.ts from the tables in packages: change those, then run `pnpm errors`. -->",
      "# Errors",
      "Every error with a code: what happened, what was expected, what to do. The code stands at the end of a message, " +
      "and never changes; `{name}` stands for what the message says in that place.",
      "The exit status is 2 when nothing was started because of what was asked for, which will be the same next time, and " +
      "1 when something ran and failed.",
      ...tables.map(part),
      "## Requests",
      "What a request is answered that no handler sees, as `application/problem+json`; there is no code but the status.",
      table(
        ["status", "what is wrong with the request"],
        refusals.toSorted((one, other) => one.status - other.status)
          .map(({ detail, status }) => [String(status), text(detail)])
      )
    ].join("\n\n")
  }\n`

const path = "docs/errors.md"

const main = async (): Promise<void> => {
  const tables = await read()
  const problems = check(tables)
  for (const problem of problems) console.error(problem)
  const written = page(tables, await readRefusals())
  const current = existsSync(join(root, path)) ? readFileSync(join(root, path), "utf8") : undefined
  const isStale = problems.length === 0 && written !== current
  if (isStale && process.argv.includes("--check")) {
    console.error(`${path}: it is not what the tables say: run pnpm errors`)
    process.exitCode = 1
  } else if (isStale) writeFileSync(join(root, path), written)
  // What is wrong is not published.
  if (problems.length > 0) process.exitCode = 1
  console.log(`${tables.reduce((sum, { entries }) => sum + Object.keys(entries).length, 0)} errors`)
}

if (import.meta.main) await main()
