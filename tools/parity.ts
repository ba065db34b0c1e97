/**
 * The tables of parity with Kore: `docs/parity/*.json` says what each name and each defect of Kore became here, and
 * which test shows it. `pnpm parity` checks every word of that and writes the pages; `--check` only compares them.
 *
 * What is checked: linked tests exist under exactly their titles; names exist, in Effect and in `kore-fx/legacy`, with
 * Kore's values; nothing that is read without effect, or half there, has a row; everything that `kore-fx/legacy` exports,
 * and every member of what it gives to handlers, stands somewhere; a test that names a fault shows that one. Each check is
 * shown to fail in `tools/test/parity.test.ts`.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { namespaces } from "./examples.ts"
import * as LegacyNames from "./LegacyNames.ts"
import { overview, page, pageName } from "./ParityPages.ts"
import { parse, type Table, testsOf } from "./ParityTable.ts"
import * as TestTitles from "./TestTitles.ts"
import { root } from "./tsgo.ts"

// --- the checks -------------------------------------------------------------------------------------------------------

/** What there is, to compare the tables with. */
export interface World {
  /** The titles in each file of tests that a table names and that exists. */
  readonly tests: ReadonlyMap<string, TestTitles.TestTitles>
  /** Those of the tables' Effect names that exist. */
  readonly effect: ReadonlySet<string>
  readonly legacy: LegacyNames.LegacyNames
}

/** What is wrong, where, and what to do. */
export interface Problem {
  readonly file: string
  readonly row: string
  readonly message: string
}

type Check = (tables: ReadonlyArray<Table>, world: World) => Iterable<Problem>

const rowsOf = (tables: ReadonlyArray<Table>) => tables.flatMap(({ file, rows }) => rows.map((row) => ({ file, row })))

const tests: Check = function*(tables, world) {
  const links = tables.flatMap(({ defects, file, rows }) => [
    ...rows.flatMap((row) => testsOf(row).map((test) => ({ file, row: row.name, test }))),
    ...defects.flatMap((defect) =>
      "test" in defect ? { file, row: `${defect.where}: ${defect.what}`, test: defect.test } : []
    )
  ])
  for (const { file, row, test } of links) {
    const titles = world.tests.get(test.file)
    if (titles === undefined) {
      yield { file, row, message: `there is no file of tests ${test.file}: write it, or name the one that is meant` }
    } else if (!TestTitles.has(titles, test.name)) {
      yield {
        file,
        row,
        message: `${test.file} has no test "${test.name}": write it, or put the title of the one that shows this`
      }
    }
  }
}

const effectNames: Check = function*(tables, world) {
  for (const { file, row } of rowsOf(tables)) {
    for (const name of row.effect) {
      if (!world.effect.has(name)) {
        const from = name.startsWith("effect/") ? "Effect has no such export"
          : "the index of kore-fx does not lead to it"
        yield { file, row: row.name, message: `${name} does not exist, ${from}: export it, or correct the name` }
      }
    }
    if (row.effect.length > 0 && row.tests.effect === undefined) {
      yield { file, row: row.name, message: `${row.effect.join()} has no test in tests.effect: link one` }
    }
    if (row.effect.length === 0 && (row.tests.effect !== undefined || row.note === undefined)) {
      yield { file, row: row.name, message: "it has no name in Effect: give one, or tests.legacy alone and a note why" }
    }
  }
}

/**
 * `kore.lock().acquire`, `req.body_read(n)`, `koreapp.signal(signo)`, `domain.route(auth.type=)`: the name, what is in
 * brackets, a keyword.
 */
const legacyName = new RegExp(
  `^((?:kore|koreapp|${LegacyNames.objects.join("|")})(?:\\.\\w+(?:\\(\\))?)*\\.\\w+|kore_\\w+)` +
    "(?:\\((([\\w.]+)=|[^=]*)\\))?$"
)

const legacyNames: Check = function*(tables, { legacy }) {
  for (const { file, row } of rowsOf(tables)) {
    const problem = (message: string): Problem => ({ file, row: row.name, message })
    const [, name = "", brackets, keyword] = legacyName.exec(row.legacy) ?? []
    if (name === "") {
      yield problem(`legacy is "${row.legacy}", expected a name such as kore.log, kore.gather(concurrency=) or ` +
        "kore.lock().acquire: correct it")
    } else if (name.startsWith("koreapp.") || name.startsWith("kore_")) {
      if (!legacy.hooks.has(name)) {
        yield problem(`kore-fx/legacy never calls the hook ${name}: call it, or drop the row`)
      }
    } else if (!legacy.values.has(name)) {
      const reason = [...legacy.failures].find(([asked]) => name.startsWith(asked))?.[1]
      yield problem(
        `kore-fx/legacy has no ${name}: write it, or drop the row${reason === undefined ? "" : ` (${reason})`}`
      )
    } else {
      const value = legacy.values.get(name)
      if (brackets !== undefined && typeof value !== "function") {
        yield problem(`${name} is ${typeof value}, expected a function: make it one, or drop the brackets`)
      }
      if (keyword !== undefined && legacy.keywords.get(name)?.includes(keyword) !== true) {
        const known = legacy.keywords.get(name)?.join(", ") ?? "none that anybody could ask for"
        yield problem(`${name} has no keyword ${keyword}, it has ${known}: add it, or drop the row`)
      }
      if (isConstant(name) && typeof value !== "function" && value !== row.value) {
        yield problem(`${name} is ${String(value)}, expected ${row.value ?? "a value in the row"}: correct one of them`)
      }
    }
  }
}

// Those of sockets are the system's, and no one value is right.
const isConstant = (name: string): boolean => /^kore\.[A-Z][A-Z0-9_]+$/.test(name)

const applied: Check = function*(tables, { legacy }) {
  for (const { file, row } of rowsOf(tables)) {
    const capability = legacy.later.get(row.legacy)
    if (capability !== undefined) {
      yield {
        file,
        row: row.name,
        message: `the option is read and not applied, it waits for ${capability}: move it to elsewhere`
      }
    }
  }
}

const finished: Check = function*(tables) {
  for (const { file, row } of rowsOf(tables)) {
    const word = /\b(todo|partial(ly)?|partly|incomplete|unfinished|not yet|later)\b/i.exec(row.note ?? "")?.[0]
    if (word !== undefined) {
      yield { file, row: row.name, message: `its note says "${word}": finish it, or move it to elsewhere` }
    }
  }
}

const once: Check = function*(tables) {
  const places = new Map<string, string>()
  const entries = tables.flatMap(({ elsewhere, file, own, rows, without }) => [
    ...rows.map(({ name }) => ({ file, name, place: "a row" })),
    ...elsewhere.flatMap(({ names, what }) => names.map((name) => ({ file, name, place: `elsewhere, ${what}` }))),
    ...without.map(({ name }) => ({ file, name, place: "without" })),
    ...own.map(({ name }) => ({ file, name: name.includes(".") ? name : `kore.${name}`, place: "own" }))
  ])
  for (const { file, name, place } of entries) {
    const other = places.get(name)
    if (other !== undefined) {
      yield { file, row: name, message: `it stands twice, ${other} and ${place}: leave one` }
    }
    places.set(name, place)
  }
}

const exported: Check = function*(tables, { legacy }) {
  const named = [
    ...rowsOf(tables).map(({ row }) => row.legacy),
    ...tables.flatMap(({ elsewhere }) => elsewhere.flatMap(({ names }) => names))
  ]
  const inKore = new Set(named.map((name) => /^kore\.(\w+)/.exec(name)?.[1]))
  const member = new RegExp(`^(?:${LegacyNames.objects.join("|")})\\.\\w+`)
  const members = new Set(named.map((name) => member.exec(name)?.[0]))
  const own = new Set(tables.flatMap((table) => table.own.map(({ name }) => name)))
  const file = tables.map((table) => table.file).join(", ")
  for (const name of legacy.exports) {
    if (inKore.has(name) || own.has(name)) continue
    yield {
      file,
      row: name,
      message: "kore-fx/legacy exports it, and no table says what it is: give it a row, or put it into elsewhere or own"
    }
  }
  for (const name of legacy.values.keys()) {
    if (member.exec(name)?.[0] !== name || members.has(name) || own.has(name)) continue
    yield {
      file,
      row: name,
      message: "kore-fx/legacy has it, and no table says what it is: give it a row, or put it into elsewhere or own"
    }
  }
  for (const table of tables) {
    for (const { name } of table.own) {
      if (name.includes(".") ? legacy.values.has(name) : legacy.exports.includes(name)) continue
      yield { file: table.file, row: name, message: "own names it, and kore-fx/legacy does not have it: drop it" }
    }
  }
}

/** `A8, B37: …`: a title names the faults of the specification that its test keeps away. */
const faultsOf = (text: string): ReadonlyArray<string> =>
  /^((?:[ABC]\d+)(?:, [ABC]\d+)*): /.exec(text)?.[1]?.split(", ") ?? []

const faults: Check = function*(tables) {
  for (const { defects, file } of tables) {
    for (const defect of defects) {
      if (!("test" in defect)) continue
      const named = faultsOf(defect.test.name)
      const own = new Set(defect.where.split(", "))
      if (named.length === 0 || named.some((fault) => own.has(fault))) continue
      yield {
        file,
        row: `${defect.where}: ${defect.what}`,
        message:
          `its test says that it is about ${named.join()}: link the test that is about this, or add that to where`
      }
    }
  }
}

/** Every check by its name. */
export const checks: Readonly<Record<string, Check>> = {
  tests,
  effectNames,
  legacyNames,
  applied,
  finished,
  once,
  exported,
  faults
}

/** What is wrong with the tables. */
export const check: Check = (tables, world) => Object.values(checks).flatMap((check) => [...check(tables, world)])

// --- the repository ---------------------------------------------------------------------------------------------------

const folder = "docs/parity"

/** All tables. */
export const read = (): ReadonlyArray<Table> =>
  readdirSync(join(root, folder)).filter((name) => name.endsWith(".json")).toSorted()
    .map((name) => parse(name, readFileSync(join(root, folder, name), "utf8")))

const titlesOf = (files: Iterable<string>): ReadonlyMap<string, TestTitles.TestTitles> =>
  new Map(Array.from(files).filter((file) => file.endsWith(".test.ts") && existsSync(join(root, file)))
    .map((file) => [file, TestTitles.parse(readFileSync(join(root, file), "utf8"))]))

/** Those of the names that lead somewhere: `Lock.make` from the index of kore-fx, `effect/http/Cookies.get` from Effect. */
const existing = async (names: Iterable<string>): Promise<ReadonlySet<string>> => {
  const index = "packages/kore-fx/src/index.ts"
  const modules = namespaces(readFileSync(join(root, index), "utf8"))
  const kore = await LegacyNames.load(index)
  const found = new Set<string>()
  for (const name of names) {
    const [, module, path = ""] = /^((?:effect\/(?:http\/)?)?\w+)\.(.+)$/.exec(name) ?? []
    if (module === undefined) continue
    const isEffect = module.startsWith("effect/")
    if (!isEffect && !modules.includes(module)) continue
    let at = isEffect ? await import(module) : kore[module]
    for (const key of path.split(".")) at = at?.[key]
    if (at !== undefined) found.add(name)
  }
  return found
}

/** What there is in this repository of what the tables name. */
export const world = async (tables: ReadonlyArray<Table>): Promise<World> => {
  const rows = rowsOf(tables).map(({ row }) => row)
  const defects = tables.flatMap(({ defects }) => defects)
  const names = rows.flatMap((row) => legacyName.exec(row.legacy)?.[1] ?? [])
  return {
    tests: titlesOf(
      new Set([
        ...rows.flatMap(testsOf).map(({ file }) => file),
        ...defects.flatMap((defect) => "test" in defect ? defect.test.file : [])
      ])
    ),
    effect: await existing(new Set(rows.flatMap(({ effect }) => effect))),
    legacy: await LegacyNames.probe(names.filter((name) => /^koreapp\.|^kore_/.test(name)))
  }
}

/** The pages by their path. */
export const pages = (tables: ReadonlyArray<Table>): ReadonlyMap<string, string> =>
  new Map([
    ...tables.map((self): [string, string] => [join(folder, pageName(self)), page(self)]),
    [join(folder, "README.md"), overview(tables)]
  ])

/** The pages of those that are not there as they should be. */
export const outdated = (
  pages: ReadonlyMap<string, string>,
  current: (path: string) => string | undefined
): ReadonlyArray<readonly [path: string, text: string]> => [...pages].filter(([path, text]) => current(path) !== text)

const textOf = (path: string): string | undefined =>
  existsSync(join(root, path)) ? readFileSync(join(root, path), "utf8") : undefined

const main = async (): Promise<void> => {
  const isCheck = process.argv.includes("--check")
  const tables = read()
  const problems = [...check(tables, await world(tables))]
  for (const { file, message, row } of problems) console.error(`${folder}/${file}: ${row}: ${message}`)
  // What is wrong is not published.
  const stale = problems.length > 0 ? [] : outdated(pages(tables), textOf)
  for (const [path, text] of stale) {
    if (isCheck) console.error(`${path}: it is not what the tables say: run pnpm parity`)
    else writeFileSync(join(root, path), text)
  }
  const [rows, defects] = [rowsOf(tables).length, tables.flatMap(({ defects }) => defects).length]
  console.log(`${rows} names, ${defects} defects, ${problems.length} problems`)
  process.exitCode = problems.length === 0 && !(isCheck && stale.length > 0) ? 0 : 1
}

if (import.meta.main) await main()
