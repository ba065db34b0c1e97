/** Bytes as text, one character a byte: Node's own primitive, which skips the look-up of an encoding name. */
interface Sliceable {
  latin1Slice(start: number, end: number): string
  utf8Slice(): string
}

/** The bytes from `start` to `end` as Latin-1 text. */
export const latin1 = (buffer: Buffer, start: number, end: number): string =>
  (buffer as unknown as Sliceable).latin1Slice(start, end)

/** All bytes as UTF-8 text. */
export const utf8 = (buffer: Buffer): string => (buffer as unknown as Sliceable).utf8Slice()
