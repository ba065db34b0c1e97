/**
 * Bytes through `node:zlib`: at once where they are in memory, piece by piece where they are made while they are sent.
 *
 * When to reach for it: `Compression` does, for an answer that it has decided to compress.
 * What it is not: a decision. Which coding a client may get is said by `filemap/ContentCoding`.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as zlib from "node:zlib"
import type { Coding } from "../filemap/ContentCoding.ts"

/** How hard each coding tries. */
export type Levels = Readonly<Record<Coding, number>>

/** The levels that zlib takes, from and to. */
export const RANGES: Readonly<Record<Coding, readonly [min: number, max: number]>> = {
  br: [0, 11],
  zstd: [1, 22],
  gzip: [1, 9]
}

/*
 * HOT PATH: up to here the bytes are compressed where they are. Measured with JSON on Node 26, 16 KiB: 0.09 to 0.14 ms
 * at once, and the same 0.08 to 0.10 ms of this thread to have it done by another one, with 0.2 to 0.4 ms until it is
 * back. At 64 KiB it is 0.1 to 0.9 ms against 0.1 to 0.2, at 1 MiB 2 to 19 ms against 1 to 4: there others should work.
 */
const AT_ONCE_MAX = 16_384

type Callback = (error: Error | null, result: Buffer) => void

const brotli = (level: number, size?: number): zlib.BrotliOptions => ({
  params: {
    [zlib.constants.BROTLI_PARAM_QUALITY]: level,
    ...(size === undefined ? {} : { [zlib.constants.BROTLI_PARAM_SIZE_HINT]: size })
  }
})

const zstd = (level: number): zlib.ZstdOptions => ({ params: { [zlib.constants.ZSTD_c_compressionLevel]: level } })

const atOnce = (bytes: Uint8Array, coding: Coding, level: number): Uint8Array => {
  switch (coding) {
    case "br":
      return zlib.brotliCompressSync(bytes, brotli(level, bytes.length))
    case "zstd":
      return zlib.zstdCompressSync(bytes, zstd(level))
    case "gzip":
      return zlib.gzipSync(bytes, { level })
  }
}

const elsewhere = (bytes: Uint8Array, coding: Coding, level: number, callback: Callback): void => {
  switch (coding) {
    case "br":
      return zlib.brotliCompress(bytes, brotli(level, bytes.length), callback)
    case "zstd":
      return zlib.zstdCompress(bytes, zstd(level), callback)
    case "gzip":
      return zlib.gzip(bytes, { level }, callback)
  }
}

/** Compresses bytes: small ones at once, others in a thread of their own. */
export const encode = (bytes: Uint8Array, coding: Coding, levels: Levels): Effect.Effect<Uint8Array> =>
  bytes.length <= AT_ONCE_MAX
    ? Effect.sync(() => atOnce(bytes, coding, levels[coding]))
    : Effect.callback((resume) =>
      elsewhere(bytes, coding, levels[coding], (error, result) =>
        resume(error === null ? Effect.succeed(result) : Effect.die(error)))
    )

interface Handle {
  readonly transform: zlib.Gzip | zlib.BrotliCompress | zlib.ZstdCompress
  readonly flush: number
}

const open = (coding: Coding, level: number): Handle => {
  switch (coding) {
    case "br":
      return { transform: zlib.createBrotliCompress(brotli(level)), flush: zlib.constants.BROTLI_OPERATION_FLUSH }
    case "zstd":
      return { transform: zlib.createZstdCompress(zstd(level)), flush: zlib.constants.ZSTD_e_flush }
    case "gzip":
      return { transform: zlib.createGzip({ level }), flush: zlib.constants.Z_SYNC_FLUSH }
  }
}

type Bytes = readonly [Uint8Array, ...Array<Uint8Array>]

const NOTHING: Bytes = [new Uint8Array(0)]

/** A handle of zlib and what has come out of it. */
class Encoder {
  private readonly handle: Handle
  private out: Array<Uint8Array> = []
  private failed: ((error: Error) => void) | undefined = undefined

  constructor(coding: Coding, level: number) {
    this.handle = open(coding, level)
    const { transform } = this.handle
    transform.on("data", (bytes: Uint8Array) => this.out.push(bytes))
    transform.on("error", (error) => this.failed?.(error))
  }

  private take(): Bytes {
    // What the stream holds back until the next turn.
    while (this.handle.transform.read() !== null) continue
    const { out } = this
    this.out = []
    const [first, ...others] = out
    return first === undefined ? NOTHING : [first, ...others]
  }

  private wait(begin: (done: () => void) => void): Effect.Effect<Bytes> {
    return Effect.callback((resume) => {
      this.failed = (error) => resume(Effect.die(error))
      begin(() => resume(Effect.succeed(this.take())))
    })
  }

  /** Everything that these pieces come to: the client can read them before the next ones are there. */
  readonly add = (pieces: ReadonlyArray<Uint8Array>): Effect.Effect<Bytes> =>
    this.wait((done) => {
      for (const piece of pieces) this.handle.transform.write(piece)
      this.handle.transform.flush(this.handle.flush, done)
    })

  /** What is left at the end. */
  readonly finish: Effect.Effect<Bytes> = Effect.suspend(() =>
    this.wait((done) => {
      this.handle.transform.once("end", done)
      this.handle.transform.end()
    })
  )

  /** Lets go of the memory of zlib, which no garbage collector counts. */
  readonly close: Effect.Effect<void> = Effect.sync(() => void this.handle.transform.destroy())
}

/**
 * Compresses bytes while they are made. Each batch that the stream gives is flushed, so that nothing is held back.
 *
 * zlib's handle is closed with the stream: at its end, when it fails, when the client leaves.
 */
export const stream = <E>(
  source: Stream.Stream<Uint8Array, E>,
  coding: Coding,
  levels: Levels
): Stream.Stream<Uint8Array, E> =>
  Stream.unwrap(
    Effect.map(
      Effect.acquireRelease(Effect.sync(() => new Encoder(coding, levels[coding])), (encoder) => encoder.close),
      (encoder) =>
        Stream.concat(
          Stream.mapArrayEffect(source, (pieces) => encoder.add(pieces)),
          Stream.unwrap(Effect.map(encoder.finish, (rest) => Stream.fromIterable(rest)))
        )
    )
  )
