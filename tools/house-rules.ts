/**
 * The house rules that no rule of the linter can say; `pnpm lint` runs it after oxlint.
 *
 * Every rule is a pure function from files to violations, so that `tools/test/house-rules.test.ts` can show each of them
 * fail. `docs/contributing.md` says why they are there.
 */
import { execFileSync } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"

/** One file of the repository. */
export interface File {
  /** From the root, with slashes. */
  readonly path: string
  readonly text: string
}

/** Where a rule is broken, and what to do. */
export interface Violation {
  readonly path: string
  readonly line: number
  readonly rule: string
  readonly message: string
}

/** Looks at all files, because some rules compare several. */
type Rule = (files: ReadonlyArray<File>) => Iterable<Omit<Violation, "rule">>

const isSource = ({ path }: File): boolean => /^packages\/[^/]+\/src\/.*\.ts$/.test(path)
const isCode = ({ path }: File): boolean => path.endsWith(".ts")
// They hold code that breaks the rules, as text.
const isFixture = ({ path }: File): boolean => path.startsWith("tools/test/")

/** A rule for single lines: files it looks at, what a bad line looks like, what to say. */
const lines = (applies: (file: File) => boolean, pattern: RegExp, message: string): Rule =>
  function*(files) {
    for (const { path, text } of files.filter(applies)) {
      for (const [index, line] of text.split("\n").entries()) {
        if (pattern.test(line)) yield { path, line: index + 1, message }
      }
    }
  }

const fileName: Rule = function*(files) {
  for (const { path } of files) {
    const word = path.split("/").find((part) =>
      /(^|[-._])(utils?|helpers?|common|misc)([-._]|$)|(Utils?|Helpers?)\./i.test(part)
    )
    if (word !== undefined) {
      yield { path, line: 1, message: `"${word}" says nothing: name the file after its one concept` }
    }
  }
}

const temporary: Rule = function*(files) {
  for (const { path } of files) {
    if (/(^|[/.])(tmp|temp|scratch|debug|dbg)\./.test(path)) {
      yield { path, line: 1, message: "a temporary file: delete it" }
    }
  }
}

const moduleHeader: Rule = function*(files) {
  for (const { path, text } of files.filter(isSource)) {
    if (!/^(#!.*\n)?\/\*\*/.test(text)) {
      yield { path, line: 1, message: "starts without a header: what it is, when to reach for it, what it is not" }
    }
  }
}

/** The modules that the index of a package gives a name: what users see. */
const publicModules = (files: ReadonlyArray<File>): ReadonlyArray<File> =>
  files.filter((file) => file.path.endsWith("/src/index.ts")).flatMap(({ path, text }) =>
    Array.from(text.matchAll(/^export \* as \w+ from "\.\/(.+)"/gm), ([, module]) => path.replace("index.ts", module!))
  ).flatMap((module) => files.find(({ path }) => path === module) ?? [])

const docstring: Rule = function*(files) {
  for (const { path, text } of publicModules(files)) {
    const documented = new Set<string>()
    const all = text.split("\n")
    for (const [index, line] of all.entries()) {
      const name = /^export (?:declare |abstract )*(?:const|function\*?|class|interface|type|namespace) (\w+)/.exec(
        line
      )?.[1]
      if (name === undefined) continue
      const isDocumented = all[index - 1]?.trimEnd().endsWith("*/") === true
      // A type of the same name as its value, and further overloads, share one docstring.
      if (!isDocumented && !documented.has(name)) {
        yield { path, line: index + 1, message: `\`${name}\` is exported without a docstring` }
      }
      documented.add(name)
    }
  }
}

// --- manifests -------------------------------------------------------------------------------------------------------

const levels: ReadonlyArray<ReadonlyArray<string>> = [
  ["@kore-fx/core"],
  ["@kore-fx/http", "@kore-fx/pg", "@kore-fx/proc"],
  ["kore-fx"],
  ["@kore-fx/cli"]
]
const levelOf = (name: string): number => levels.findIndex((names) => names.includes(name))

/** `./src/*.ts` in development is this when published. */
const published = (source: unknown): unknown =>
  typeof source !== "string" || !source.startsWith("./src/") ? source : {
    types: source.replace("./src/", "./dist/").replace(/\.ts$/, ".d.ts"),
    default: source.replace("./src/", "./dist/").replace(/\.ts$/, ".js")
  }

const manifest: Rule = function*(files) {
  const catalog = files.find(({ path }) => path === "pnpm-workspace.yaml")?.text ?? ""
  for (const { path, text } of files.filter(({ path }) => /^packages\/[^/]+\/package\.json$/.test(path))) {
    const json = JSON.parse(text)
    const violation = (message: string) => ({ path, line: 1, message })
    if (json.license !== "ISC") yield violation("its license is not ISC")
    if (json.engines?.node !== ">=26.10.0") yield violation("engines.node is not >=26.10.0")
    const exported = Object.fromEntries(Object.entries(json.exports).map(([key, source]) => [key, published(source)]))
    if (JSON.stringify(exported) !== JSON.stringify(json.publishConfig?.exports)) {
      yield violation("publishConfig.exports does not say of dist what exports says of src")
    }
    const sources = path.replace("package.json", "src/")
    const internals = new Set(
      files.flatMap((file) =>
        file.path.startsWith(sources) ? /^(.*\/)?internal\//.exec(file.path.slice(sources.length))?.[0] ?? [] : []
      )
    )
    for (const internal of internals) {
      if (json.exports[`./${internal}*`] !== null) yield violation(`it exports ./${internal}*: say null, it is private`)
    }
    for (const file of json.files) {
      if (!/^(src|dist)\//.test(file)) yield violation(`it publishes ${file}: only src and dist are published`)
    }
    for (const [name, range] of Object.entries<string>({ ...json.dependencies, ...json.peerDependencies })) {
      if (levelOf(name) >= 0) {
        if (levelOf(name) >= levelOf(json.name)) {
          yield violation(`it depends on ${name}: dependencies point one way, cli → kore-fx → http, pg, proc → core`)
        }
        if (range !== "workspace:^") yield violation(`it depends on ${name} as ${range}: write workspace:^`)
      } else if (!range.startsWith("^")) {
        yield violation(`${name} is published as ${range}: write a caret range, so that users have one copy of it`)
      } else if (!new RegExp(`^  "?${name}"?: ${range.slice(1).replaceAll(".", "\\.")}$`, "m").test(catalog)) {
        yield violation(`${name} is published as ${range}, but the catalog does not test that version`)
      }
    }
  }
}

// --- all rules -------------------------------------------------------------------------------------------------------

/** Every rule by its name. */
export const rules: Readonly<Record<string, Rule>> = {
  "file-name": fileName,
  "temporary-file": temporary,
  "module-header": moduleHeader,
  docstring,
  "test-modifier": lines(
    (file) => isCode(file) && !isFixture(file),
    /\b(it|test|describe|layer)(\.\w+)*\.(only|skip|todo|fails)\b/,
    "a test that is left out or left alone: finish it or delete it"
  ),
  ffi: lines(
    (file) => isSource(file) && !file.path.startsWith("packages/core/src/native/"),
    /["'`]node:ffi["'`]/,
    "foreign functions are called in packages/core/src/native and nowhere else"
  ),
  "disable-reason": lines(
    (file) => isCode(file) && !isFixture(file),
    /(?:ox|es)lint-disable(?!.* -- \S)/,
    "a rule is disabled without a reason: add ` -- why`"
  ),
  manifest,
  lockfile: lines(
    ({ path }) => path === "pnpm-lock.yaml",
    /https?:\/\/|tarball:|git\+/,
    "the lock file names a host: packages come from whatever registry a machine uses"
  ),
  "machine-path": lines(
    (file) => file.path !== "pnpm-lock.yaml",
    // Where this project is built, and the home of whoever builds it; written so that they do not match themselves.
    new RegExp(
      ["/wor[k]/(main|shared|\\.library)", "/roo[t]/\\.", "/bash_job[s]\\."].map((path) => `(^|[^\\w.])${path}`).join(
        "|"
      )
    ),
    "a path of one machine"
  )
}

/** What is wrong with these files. */
export const check = (files: ReadonlyArray<File>): ReadonlyArray<Violation> =>
  Object.entries(rules).flatMap(([rule, find]) => Array.from(find(files), (violation) => ({ ...violation, rule })))

/** The files of a repository that git knows or would add. */
export const filesOf = (root: string): ReadonlyArray<File> =>
  execFileSync("git", ["ls-files", "-co", "--exclude-standard", "-z"], { cwd: root, encoding: "utf8" })
    .split("\0")
    .filter((path) => path !== "" && existsSync(join(root, path)) && !/\.(png|ico|gz|woff2?)$/.test(path))
    .map((path) => ({ path, text: readFileSync(join(root, path), "utf8") }))

if (import.meta.main) {
  const violations = check(filesOf(process.cwd()))
  for (const { line, message, path, rule } of violations) console.error(`${path}:${line}: ${message} [${rule}]`)
  console.log(`${Object.keys(rules).length} house rules, ${violations.length} violations`)
  process.exitCode = violations.length === 0 ? 0 : 1
}
