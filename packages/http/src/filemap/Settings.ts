/**
 * The options of file maps and file answers, checked: what is wrong with one is said when it is given.
 *
 * When to reach for it: `Filemap` and `FileResponse` read their options with it.
 * What it is not: the configuration of the server, which is checked at start; it comes in here already valid.
 */
import type * as Config from "@kore-fx/core/Config"
import * as fs from "node:fs"
import * as nodePath from "node:path"
import { fileURLToPath } from "node:url"
import * as MediaType from "../MediaType.ts"
import { isFieldValue } from "../transport/Syntax.ts"
import * as ContentCoding from "./ContentCoding.ts"
import type { Policy } from "./FileAnswer.ts"

/** An error of the programmer: which option of what, its value, what was expected. */
export const invalid = (where: string, option: string, value: unknown, expected: string): TypeError =>
  new TypeError(`${where}: ${option} is ${JSON.stringify(value) ?? String(value)}, expected ${expected}`)

/** The absolute path of a directory, which need not be there. */
export const directory = (where: string, given: string | URL): string => {
  if (given instanceof URL) {
    if (given.protocol !== "file:") throw invalid(where, "the directory", given.href, "a path or a file: URL")
    return nodePath.resolve(fileURLToPath(given))
  }
  if (typeof given !== "string" || given === "" || given.includes("\0")) {
    throw invalid(where, "the directory", given, "a path or a file: URL")
  }
  return nodePath.resolve(given)
}

/**
 * The absolute path of a directory that is there.
 *
 * @throws TypeError when it is not.
 */
export const existingDirectory = (where: string, given: string | URL): string => {
  const path = directory(where, given)
  let reason: string | undefined
  try {
    if (!fs.statSync(path).isDirectory()) reason = "it is no directory"
  } catch (error) {
    reason = (error as NodeJS.ErrnoException).code ?? String(error)
  }
  if (reason === undefined) return path
  throw new TypeError(
    `${where}: the directory ${path} cannot be served (${reason}): create it before the app starts, or correct the path`
  )
}

/** What the options of file maps and of file answers have in common. */
export interface Given {
  readonly etag?: boolean | undefined
  readonly lastModified?: boolean | undefined
  readonly cacheControl?: string | ((path: string) => string | undefined) | undefined
  readonly precompressed?: boolean | ReadonlyArray<ContentCoding.Coding> | undefined
  readonly mediaTypes?: ReadonlyArray<string> | undefined
  readonly disposition?: string | undefined
}

const flag = (where: string, option: string, value: boolean | undefined): boolean => {
  if (value !== undefined && typeof value !== "boolean") throw invalid(where, option, value, "true or false")
  return value ?? true
}

const codingsOf = (where: string, given: Given["precompressed"]): ReadonlyArray<ContentCoding.Coding> => {
  if (given === undefined || given === true) return ContentCoding.CODINGS
  if (given === false) return []
  const isList = Array.isArray(given) && given.every((coding) => ContentCoding.CODINGS.includes(coding))
  if (!isList) throw invalid(where, "precompressed", given, "true, false, or a list of \"br\", \"zstd\" and \"gzip\"")
  return given
}

// The types of one app's configuration are read once.
const configured = new WeakMap<ReadonlyArray<string>, MediaType.Lookup>()

const typesOf = (where: string, own: ReadonlyArray<string>, config: ReadonlyArray<string>): MediaType.Lookup => {
  if (own.length > 0) {
    MediaType.make(own, `${where}: mediaTypes`)
    return MediaType.make([...config, ...own], "httpMediaType")
  }
  let types = configured.get(config)
  if (types === undefined) configured.set(config, types = MediaType.make(config, "httpMediaType"))
  return types
}

/** What is said about files, by options that go before the configuration. */
export const policy = (
  where: string,
  { httpMediaType }: Pick<Config.Config, "httpMediaType">,
  { cacheControl, disposition, etag, lastModified, mediaTypes = [], precompressed }: Given
): Policy => {
  const isControl = cacheControl === undefined || typeof cacheControl === "function" ||
    (typeof cacheControl === "string" && cacheControl !== "" && isFieldValue(cacheControl))
  if (!isControl) {
    throw invalid(where, "cacheControl", cacheControl, "the value of a header, or a function that gives it")
  }
  return {
    typeOf: typesOf(where, mediaTypes, httpMediaType),
    cacheControl,
    etag: flag(where, "etag", etag),
    lastModified: flag(where, "lastModified", lastModified),
    codings: codingsOf(where, precompressed),
    disposition
  }
}
