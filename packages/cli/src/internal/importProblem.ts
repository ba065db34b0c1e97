/**
 * What is wrong with an import that Node.js cannot follow.
 *
 * When to reach for it: through `Diagnosis` only.
 * What it is not: an error of the imported module, which has a place of its own.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { fileURLToPath } from "node:url"
import { ImportProblem } from "../CliError.ts"
import { similar } from "./similar.ts"
import { excerpt, formatPlace, type Place, placeOfImport } from "./source.ts"
import { display } from "./text.ts"

const codes = new Set<unknown>([
  "ERR_IMPORT_ATTRIBUTE_MISSING",
  "ERR_INVALID_MODULE_SPECIFIER",
  "ERR_MODULE_NOT_FOUND",
  "ERR_PACKAGE_IMPORT_NOT_DEFINED",
  "ERR_PACKAGE_PATH_NOT_EXPORTED",
  "ERR_UNKNOWN_BUILTIN_MODULE",
  "ERR_UNKNOWN_FILE_EXTENSION",
  "ERR_UNSUPPORTED_DIR_IMPORT",
  "ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING",
  "MODULE_NOT_FOUND"
])

/** Explains the exception of an import; undefined when it is none. */
export const importProblem = (file: string, thrown: unknown): ImportProblem | undefined => {
  if (!(thrown instanceof Error)) return undefined
  const code = (thrown as NodeJS.ErrnoException).code
  if (!codes.has(code)) return undefined
  const [first = ""] = thrown.message.split("\n")
  const importer = importerOf(thrown.message) ?? file
  const wanted = /^Cannot find (?:package|module) '(.+?)'/.exec(first)?.[1]
  if (wanted === undefined) return problem(file, undefined, first, otherHints[String(code)] ?? anyHint)
  if (path.isAbsolute(wanted)) {
    const place = placeOfImport(importer, (specifier) => resolvesTo(importer, specifier, wanted))
    return problem(importer, place, `there is no file ${display(wanted)} to import`, fileHint(importer, wanted))
  }
  const place = placeOfImport(importer, (specifier) => specifier === wanted || specifier.startsWith(`${wanted}/`))
  return problem(importer, place, `the package "${wanted}" is not installed`, packageHint(importer, wanted))
}

/** Explains an import of a name that the module does not export; undefined when the exception is another one. */
export const missingExport = (error: Error, place: Place): ImportProblem | undefined => {
  const match = /module '(.+?)' does not provide an export named '(.+?)'/.exec(error.message) ??
    commonJsMessage.exec(error.message)
  if (match === null) return undefined
  const module = match.groups?.["module"] ?? match[1]!
  const name = match.groups?.["name"] ?? match[2]!
  return problem(
    place.file,
    place,
    `"${module}" exports nothing called "${name}"`,
    match.groups === undefined
      ? `Correct the name; if "${name}" is a type, write: import type { ${name} } from "${module}"`
      : `"${module}" is a CommonJS module: import all of it, and take the name from that.`
  )
}

const commonJsMessage = /Named export '(?<name>.+?)' not found. The requested module '(?<module>.+?)' is a CommonJS/

const problem = (file: string, place: Place | undefined, reason: string, hint: string): ImportProblem =>
  new ImportProblem({
    place: place === undefined ? display(file) : formatPlace(place),
    excerpt: place === undefined ? "" : excerpt(place),
    reason,
    hint
  })

const importerOf = (message: string): string | undefined => {
  const importer = (/ imported from (.+)$/m.exec(message) ?? /^Require stack:\n- (.+)$/m.exec(message))?.[1]
  return importer?.startsWith("file:") ? fileURLToPath(importer) : importer
}

const resolvesTo = (importer: string, specifier: string, wanted: string): boolean =>
  /^\.{0,2}\//.test(specifier) && path.resolve(path.dirname(importer), specifier) === wanted

const namesIn = (directory: string): ReadonlyArray<string> => {
  try {
    return fs.readdirSync(directory)
  } catch {
    return []
  }
}

const specifierOf = (importer: string, file: string): string => {
  const relative = path.relative(path.dirname(importer), file).split(path.sep).join("/")
  return relative.startsWith(".") ? relative : `./${relative}`
}

const fileHint = (importer: string, wanted: string): string => {
  const directory = path.dirname(wanted)
  const near = similar(path.basename(wanted), namesIn(directory).filter((name) => /\.[mc]?[tj]s$/.test(name)))
  if (near === undefined) return "Correct the path, or write the file."
  const meant = specifierOf(importer, path.join(directory, near))
  return `Did you mean "${meant}"? Imports name the file as it is, with its extension.`
}

const packageHint = (importer: string, name: string): string => {
  // A file of one's own without "./" in front of it looks like a package.
  const own = namesIn(path.dirname(importer)).some((entry) => entry === name || path.parse(entry).name === name)
  return own
    ? `If it is your own file, write "./" in front of it; if not: ${install(importer, name)}`
    : `Install it: ${install(importer, name)}`
}

const managers = [["pnpm-lock.yaml", "pnpm add"], ["yarn.lock", "yarn add"], ["bun.lock", "bun add"]] as const

const install = (importer: string, name: string): string => {
  for (let at = path.dirname(importer);; at = path.dirname(at)) {
    const manager = managers.find(([lock]) => fs.existsSync(path.join(at, lock)))
    if (manager !== undefined) return `${manager[1]} ${name}`
    if (at === path.dirname(at)) return `npm install ${name}`
  }
}

const anyHint = "Correct the import, or the package.json that it goes through."

const otherHints: Readonly<Record<string, string>> = {
  ERR_IMPORT_ATTRIBUTE_MISSING: "Write: import data from \"./data.json\" with { type: \"json\" }",
  ERR_PACKAGE_PATH_NOT_EXPORTED: "Import one of the paths that the package's \"exports\" lists.",
  ERR_UNKNOWN_BUILTIN_MODULE: "Correct the name after node: (https://nodejs.org/api).",
  ERR_UNKNOWN_FILE_EXTENSION: "Import .ts, .js or .json files; others must be compiled or read.",
  ERR_UNSUPPORTED_DIR_IMPORT: "Name the file in the directory: import \"./lib/index.ts\"",
  ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING: "The package has TypeScript in it: use a version of it that was built."
}
