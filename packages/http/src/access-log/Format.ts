/**
 * The forms of a line of the access log: Kore's, the combined one of NCSA, and JSON.
 *
 * ```text
 * 192.0.2.7 - - [01/Dec/2026:13:20:08 +0000] "GET /users HTTP/1.1" 200 13 "-" "curl/8.9"
 * ```
 *
 * When to reach for it: through the option `format` of `AccessLog.open`.
 * What it is not: able to break a line. Every field comes from outside; what is not printable ASCII, quotes and
 * backslashes are written as escapes. Kore: http §17.1, A14.
 */
import type { Ended } from "../transport/Observation.ts"

/** Writes one request as one line, without the line feed at its end. */
export type Format = (ended: Ended) => string

/**
 * Kore's line: `<addr> - <client> [<time>] "<METHOD> <path> HTTP/<version>" <status> <bytes> "<referer>" "<agent>"`.
 *
 * The path is without its query. `-` stands for what is not known; a field that is a hyphen is written `\x2d`. `client`
 * is for the name in a client's certificate. The time zone is that of the process.
 */
export const kore: Format = (ended) => {
  const { bytes, status, target, time } = ended
  const query = target === undefined ? -1 : target.indexOf("?")
  const path = target === undefined || query < 0 ? target : target.slice(0, query)
  const line = `${known(ended.method)} ${known(path)} ${versionOf(ended)}`
  return `${start(ended)} - [${timestamp(time)}] "${line}" ${status ?? "-"} ${bytes} ${end(ended)}`
}

/**
 * The combined log format of NCSA and Apache (`%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-agent}i"`), query included.
 */
export const combined: Format = (ended) => {
  const { bytes, method, status, target, time } = ended
  const line = method === undefined ? "-" : `${known(method)} ${known(target)} ${versionOf(ended)}`
  return `${start(ended)} - [${timestamp(time)}] "${line}" ${status ?? "-"} ${bytes === 0 ? "-" : bytes} ${end(ended)}`
}

/**
 * One JSON object, always with the same members, `null` for what is not known.
 *
 * `time` is ISO 8601 in UTC, `duration` is in milliseconds. Bytes above ASCII are one character each (Latin-1).
 */
export const json: Format = (ended) =>
  JSON.stringify({
    time: new Date(ended.time).toISOString(),
    address: ended.address ?? null,
    port: ended.port ?? null,
    host: ended.host ?? null,
    method: ended.method ?? null,
    target: ended.target ?? null,
    version: ended.version ?? null,
    status: ended.status ?? null,
    bytes: ended.bytes,
    duration: Math.round(ended.duration * 1000) / 1000,
    ending: ended.ending,
    referer: ended.referer ?? null,
    userAgent: ended.userAgent ?? null
  }).replace(notAscii, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`)

// --- private ---------------------------------------------------------------------------------------------------------

const start = ({ address }: Ended): string => `${known(address)} -`

const end = ({ referer, userAgent }: Ended): string => `"${known(referer)}" "${known(userAgent)}"`

const versionOf = ({ version }: Ended): string => version === undefined ? "-" : `HTTP/${version}`

// A text that is the sign for none must not be taken for it.
const known = (text: string | undefined): string =>
  text === undefined ? "-" : text === "-" ? "\\x2d" : text.replace(unsafe, escapeCharacter)

const unsafe = /[^\x20-\x7e]|["\\]/g
// What JSON leaves as it is, and a reader of lines may take for the end of one; in JSON it only stands in strings.
const notAscii = /[^\x20-\x7e]/g

const escapeCharacter = (character: string): string => {
  const code = character.charCodeAt(0)
  return code > 255 ? `\\u${code.toString(16).padStart(4, "0")}` : `\\x${code.toString(16).padStart(2, "0")}`
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
const two = (value: number): string => String(value).padStart(2, "0")

let second = Number.NaN
let text = ""

// HOT PATH: a busy log writes many lines in one second.
const timestamp = (time: number): string => {
  if (Math.floor(time / 1000) === second) return text
  second = Math.floor(time / 1000)
  const date = new Date(time)
  const ahead = -date.getTimezoneOffset()
  const zone = `${ahead < 0 ? "-" : "+"}${two(Math.floor(Math.abs(ahead) / 60))}${two(Math.abs(ahead) % 60)}`
  const day = `${two(date.getDate())}/${MONTHS[date.getMonth()]}/${date.getFullYear()}`
  return text = `${day}:${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())} ${zone}`
}
