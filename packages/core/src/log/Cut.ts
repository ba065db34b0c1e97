/**
 * Cutting text that is longer than its reader takes.
 *
 * When to reach for it: a format that was given a limit.
 * What it is not: silent. What is cut is counted where the text ends.
 */

/**
 * Text of at most `limit` bytes of UTF-8, no character divided; the end of one that was cut says by how much.
 *
 * What says so is always there whole, also where the limit has no room for it.
 */
export const cut = (text: string, limit: number): string => {
  const bytes = Buffer.byteLength(text)
  if (bytes <= limit) return text
  const room = Math.max(0, limit - Buffer.byteLength(mark(bytes)))
  const { read, written } = encoder.encodeInto(text, new Uint8Array(room))
  return text.slice(0, read) + mark(bytes - written)
}

// --- private ---------------------------------------------------------------------------------------------------------

const encoder = new TextEncoder()

const mark = (bytes: number): string => `… (${bytes} bytes cut)`
