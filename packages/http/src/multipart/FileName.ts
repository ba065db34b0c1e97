/**
 * Names as the header of a part gives them, and file names that are safe to use.
 *
 * When to reach for it: `PartReader` for every part; `safe` also for any other name that comes from outside.
 * What it is not: unique. Two uploads may have the same name.
 *
 * Source: RFC 7578 §4.2 and WHATWG HTML (multipart/form-data encoding: `"`, CR and LF are percent-encoded in names);
 * Kore's defect A21 (`../../etc/x` comes through).
 */

// The name of a file that has none, or none that could be used.
const NAMELESS = "file"

// Bytes of UTF-8 that a safe name has at most: file systems take 255, and programs like to append something.
const NAME_MAX = 200

const ESCAPES: Readonly<Record<string, string>> = { "%22": "\"", "%0D": "\r", "%0A": "\n", "\\\"": "\"", "\\\\": "\\" }

/** A name as it was meant: escaped as browsers do, or as RFC 9110 §5.6.4 does. */
export const unescape = (name: string): string => name.replace(/%22|%0D|%0A|\\["\\]/g, (escape) => ESCAPES[escape]!)

// What has no shape of its own: controls, line and paragraph separators, and marks that turn the direction of text, with
// which `gpj.exe` can be made to look like `exe.jpg`.
const INVISIBLE = /[\p{Cc}\u2028\u2029\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069\uFEFF]/gu

// Devices of Windows, also with an extension.
const DEVICE = /^(?:con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(?=\s*(?:\.|$))/i

const byteLength = (text: string): number => Buffer.byteLength(text)

const cut = (text: string, bytes: number): string => {
  let out = ""
  let left = bytes
  for (const character of text) {
    left -= byteLength(character)
    if (left < 0) break
    out += character
  }
  return out
}

// Written out, because an expression for it tries every dot of a long row of them again.
const trim = (text: string): string => {
  let start = 0
  let end = text.length
  while (start < end && EDGE.test(text[start]!)) start++
  while (end > start && EDGE.test(text[end - 1]!)) end--
  return text.slice(start, end)
}

const EDGE = /[.\s]/

// The extension stays, as long as it looks like one.
const bounded = (name: string): string => {
  if (byteLength(name) <= NAME_MAX) return name
  const dot = name.lastIndexOf(".")
  const extension = dot > 0 && byteLength(name) - byteLength(name.slice(0, dot)) <= 32 ? name.slice(dot) : ""
  const stem = cut(name.slice(0, name.length - extension.length), NAME_MAX - byteLength(extension))
  return extension === "" ? trim(stem) : stem + extension
}

/**
 * A file name that stays in the directory where it is put: the last part of a path, without `/` and `\`.
 *
 * Without characters that cannot be seen; without dots and blanks at either end, so that nothing is hidden and `..` is
 * nothing; not a device of Windows (`con.txt` becomes `_con.txt`); at most 200 bytes with its extension; in Unicode's
 * normal form C. When nothing is left: `file`. Characters that only Windows forbids (`:`, `?`) stay.
 */
export const safe = (raw: string): string => {
  const base = raw.toWellFormed().normalize("NFC").split(/[/\\]/).at(-1)!
  const name = bounded(trim(base.replace(INVISIBLE, "")))
  return name === "" ? NAMELESS : DEVICE.test(name) ? bounded(`_${name}`) : name
}
