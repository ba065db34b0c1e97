/**
 * Where bodies are kept, and from which size on in a file.
 *
 * When to reach for it: `StoredBody` and `Multipart` settle with it what their options and the configuration say.
 * What it is not: the configuration itself; the options are httpBodyDiskOffload and httpBodyDiskPath.
 */
import * as Config from "@kore-fx/core/Config"
import * as ByteSize from "effect/ByteSize"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Path from "node:path"

/** What a program may say instead of the configuration. */
export interface Options {
  /** Bytes that may be in memory; more are kept in a file. 0: never in a file. Default: httpBodyDiskOffload. */
  readonly offload?: ByteSize.Input | undefined
  /** The directory of the files, made when it is missing. Default: httpBodyDiskPath. */
  readonly path?: string | undefined
}

/** What is in force. */
export interface Storage {
  /** Bytes that may be in memory, `Infinity` for all. */
  readonly memory: number
  /** An absolute path. */
  readonly directory: string
}

/**
 * A size that an option gives, in bytes.
 *
 * @throws RangeError when it is none, or is more than JavaScript can count.
 */
export const sizeOf = (owner: string, option: string, input: ByteSize.Input): number => {
  const size = Option.flatMap(ByteSize.fromInput(input), ByteSize.toNumber)
  if (Option.isNone(size)) {
    throw new RangeError(`${owner}: ${option} is ${input}, expected a size such as "64 KiB", or a number of bytes`)
  }
  return size.value
}

/**
 * What options and configuration say together. The directory is relative to the working directory of that moment.
 *
 * @throws RangeError when `offload` is no size.
 */
export const settle = (owner: string, { offload, path }: Options): Effect.Effect<Storage, never, Config.Current> => {
  const given = offload === undefined ? undefined : sizeOf(owner, "offload", offload)
  return Effect.map(Config.Current, (config) => {
    const memory = given ?? ByteSize.toNumberUnsafe(config.httpBodyDiskOffload)
    return {
      memory: memory === 0 ? Number.POSITIVE_INFINITY : memory,
      directory: Path.resolve(path ?? config.httpBodyDiskPath)
    }
  })
}
