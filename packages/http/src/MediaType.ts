/**
 * Media types by the extension of a file's name: which `content-type` a file gets.
 *
 * When to reach for it: `Filemap` and `FileResponse` do by themselves; an app that sends bytes under a name asks `of`.
 * What it is not: a guess from the content. A name whose extension nobody knows is `application/octet-stream`, so that
 * no browser takes an upload for a page.
 *
 * The common types are those of Effect's own table and the few below. Kore: http §6.2 and the option http_media_type.
 */
import * as Option from "effect/Option"
import { Mime } from "./internal/effectHttp.ts"

/** Finds the media type of a file by its name, or by a path that ends in it. */
export type Lookup = (name: string) => string

/** The media type of what nobody knows (RFC 2046 §4.5.1). */
export const UNKNOWN = "application/octet-stream"

// In use everywhere, but either not registered or not in Effect's table.
const MORE: Readonly<Record<string, string>> = {
  "7z": "application/x-7z-compressed",
  "apk": "application/vnd.android.package-archive",
  "cjs": "text/javascript",
  "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
  "eot": "application/vnd.ms-fontobject",
  "flac": "audio/flac",
  "ico": "image/vnd.microsoft.icon",
  "m3u8": "application/vnd.apple.mpegurl",
  "mkv": "video/matroska",
  "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
  "tar": "application/x-tar",
  "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
  "zst": "application/zstd"
}

/**
 * The extension of a name, in lower case and without its dot; empty when it has none.
 *
 * Only the last one counts, and the dot at the beginning of a hidden file begins none: `.profile` has no extension.
 */
export const extensionOf = (name: string): string => {
  const start = name.lastIndexOf("/") + 1
  const dot = name.lastIndexOf(".")
  return dot <= start ? "" : name.slice(dot + 1).toLowerCase()
}

// RFC 9110 §5.6.2 and §8.3.1. The values of parameters are tokens: an entry is parted at its blanks.
const TOKEN = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+"
const TYPE = new RegExp(`^${TOKEN}/${TOKEN}(?:;${TOKEN}=${TOKEN})*$`)

// Text is UTF-8 here unless somebody says otherwise; without a charset a browser guesses one.
const withCharset = (type: string): string =>
  type.startsWith("text/") && !type.includes(";") ? `${type}; charset=utf-8` : type

// The file names of an app have few extensions, and a client may ask for new ones without end.
const KNOWN_LIMIT = 256

const lookup = (own: ReadonlyMap<string, string>): Lookup => {
  const known = new Map<string, string>()
  return (name) => {
    const extension = extensionOf(name)
    if (extension === "") return UNKNOWN
    const cached = known.get(extension)
    if (cached !== undefined) return cached
    const more = Object.hasOwn(MORE, extension) ? MORE[extension] : undefined
    const type = own.get(extension) ??
      withCharset(more ?? Option.getOrElse(Mime.getType(extension), () => UNKNOWN))
    if (known.size < KNOWN_LIMIT) known.set(extension, type)
    return type
  }
}

/**
 * The media type of a file by its name; `application/octet-stream` when its extension is not known.
 *
 * Case does not matter, and text is UTF-8: `of("a/INDEX.HTML")` is `text/html; charset=utf-8`.
 *
 * @example
 * ```ts
 * import { MediaType } from "@kore-fx/http"
 *
 * export const type = MediaType.of("logo.svg") // "image/svg+xml"
 * ```
 */
export const of: Lookup = lookup(new Map())

/**
 * A look-up with types of its own before the common ones.
 *
 * Each entry is a media type and its extensions, with or without their dots, as in the option `httpMediaType`:
 * `"text/csv csv"`. A later entry goes before an earlier one and any of them before a common type (Kore's bug: it could
 * not be overridden). `text/…` becomes UTF-8 unless the entry names a charset: `"text/plain;charset=latin1 txt"`.
 *
 * @throws TypeError for an entry that is none; `option` says in it where the entry was written.
 *
 * @example
 * ```ts
 * import { MediaType } from "@kore-fx/http"
 *
 * export const typeOf = MediaType.make(["text/x-kore kore kr", "application/x-javascript js"])
 * ```
 */
export const make = (entries: ReadonlyArray<string>, option = "MediaType.make"): Lookup => {
  if (entries.length === 0) return of
  const own = new Map<string, string>()
  for (const entry of entries) {
    const [type = "", ...extensions] = entry.trim().split(/\s+/)
    if (!TYPE.test(type) || extensions.length === 0 || extensions.some((one) => !/^\.?[^./\\\0]+$/.test(one))) {
      const expected = "expected a media type and its file extensions, such as \"text/csv csv\""
      throw new TypeError(`${option}: ${JSON.stringify(entry)} is no entry, ${expected}`)
    }
    for (const extension of extensions) own.set(extension.replace(/^\./, "").toLowerCase(), withCharset(type))
  }
  return lookup(own)
}

/** Tells whether files of a type are compressed by themselves, so that nobody keeps a smaller copy beside them. */
export const isCompressed = (type: string): boolean =>
  /^(?:(?:image\/(?!svg|bmp|vnd\.microsoft)|video\/|audio\/)|font\/woff|application\/(?:zip|gzip|zstd|pdf|x-7z))/.test(
    type
  )
