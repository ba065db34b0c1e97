/**
 * Files that are kept compressed beside themselves: `app.css.br` beside `app.css`, and who may get which.
 *
 * When to reach for it: `FileAnswer` asks for the best one when a request says what it accepts.
 * What it is not: compression. Nothing is compressed here; that is done when an app is built.
 */
import * as Lookup from "./Lookup.ts"

/** A content coding (RFC 9110 §8.4.1) that files are kept in. */
export type Coding = "br" | "zstd" | "gzip"

/** All of them, the one that is mostly the smallest first. */
export const CODINGS: ReadonlyArray<Coding> = ["br", "zstd", "gzip"]

const SUFFIX: Readonly<Record<Coding, string>> = { br: ".br", zstd: ".zst", gzip: ".gz" }

const NONE: ReadonlyArray<Coding> = []
// Clients of one kind all send the same.
const known = new Map<string, ReadonlyArray<Coding>>()
const KNOWN_LIMIT = 128
const KNOWN_LENGTH = 128

/**
 * The codings that a value of `accept-encoding` allows, those with the greater weight first, then in our own order
 * (RFC 9110 §12.5.3). Without the field there are none: who does not say so may not be able to read them.
 */
export const accepted = (field: string | undefined): ReadonlyArray<Coding> => {
  if (field === undefined) return NONE
  const cached = known.get(field)
  if (cached !== undefined) return cached
  const codings = parse(field)
  if (field.length <= KNOWN_LENGTH && known.size < KNOWN_LIMIT) known.set(field, codings)
  return codings
}

const parse = (field: string): ReadonlyArray<Coding> => {
  const weights = new Map<string, number>()
  for (const member of field.toLowerCase().split(",")) {
    const [coding = "", ...parameters] = member.split(";").map((part) => part.trim())
    weights.set(coding === "x-gzip" ? "gzip" : coding, weightOf(parameters))
  }
  const weight = (coding: Coding): number => weights.get(coding) ?? weights.get("*") ?? 0
  const identity = weights.get("identity") ?? 0
  return CODINGS.filter((coding) => weight(coding) > 0 && weight(coding) >= identity)
    .toSorted((a, b) => weight(b) - weight(a))
}

const weightOf = (parameters: ReadonlyArray<string>): number => {
  const found = parameters.find((parameter) => parameter.startsWith("q="))
  if (found === undefined) return 1
  const text = found.slice(2)
  // §12.4.2. What is no weight is taken for a refusal: the file as it is can be read by everybody.
  return /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/.test(text) ? Number(text) : 0
}

/** The best of the files beside one that a request allows, or `undefined`. */
export const choose = (
  file: Lookup.File,
  offered: ReadonlyArray<Coding>,
  field: string | undefined
): { readonly coding: Coding; readonly file: Lookup.File } | undefined => {
  for (const coding of accepted(field)) {
    if (!offered.includes(coding)) continue
    const found = Lookup.beside(file, SUFFIX[coding])
    if (found._tag === "File") return { coding, file: found }
  }
  return undefined
}
