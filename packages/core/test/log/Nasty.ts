/** Pieces of text: what breaks lines and JSON, what does not, and characters of every length in UTF-8. */
import * as Schema from "effect/Schema"

export const Nasty = Schema.Array(Schema.Union([
  Schema.Literals(["\n", "\r\n", "\u2028", "\u2029", "\u0085", "\x1b[2J", "\0", "]", "\"", "\\n", "é", "漢", "👍"]),
  Schema.String
]))

/** What every reader of lines may take for the end of one: C, Java, Python, browsers. */
export const lineEnds = /[\n\v\f\r\u001c-\u001e\u0085\u2028\u2029]/
