/**
 * Messages between two processes over a socket, one line of JSON each, checked against their Schema on arrival.
 *
 * When to reach for it: the parent has one to every worker, a worker has one to its parent.
 * What it is not: Node's own channel. That one throws in the receiver's event loop when bytes arrive that it did not
 * write, so that a worker could end the parent; here a line that is no message is reported and dropped. For the same
 * reason it is JSON and not V8's format: what reads the bytes of a worker that was broken into should be boring.
 */
import type * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Queue from "effect/Queue"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type * as net from "node:net"
import * as Protocol from "./Protocol.ts"

/** One end of a channel. */
export interface Channel<in Out, out In> {
  /** Waits for the next message; fails when the other end is closed and all was received. */
  readonly receive: Effect.Effect<In, Cause.Done>
  /** Sends a message and waits until the system has it; false when the other end is gone. */
  readonly send: (message: Out) => Effect.Effect<boolean>
  /**
   * Sends a message and does not wait, behind those that were sent before; it leaves in this turn of the event loop. The
   * inner effect waits as `send` does. For messages that must not wait, and whose number is bounded by something else.
   */
  readonly post: (message: Out) => Effect.Effect<Effect.Effect<boolean>>
  /**
   * Gives what was posted to the system now, and not when this step of the event loop is over; for a process that exits
   * in the next line. What the system has no room for waits here as ever.
   */
  readonly flush: Effect.Effect<void>
}

/**
 * Opens an end of a channel on a connected socket; the socket is destroyed when the scope closes.
 *
 * Messages that nobody receives yet are kept, a bounded number of them; then the sender waits.
 */
export const make = Effect.fnUntraced(function*<
  const Sends extends ReadonlyArray<Protocol.Kind>,
  const Receives extends ReadonlyArray<Protocol.Kind>
>(
  socket: net.Socket,
  kinds: {
    /** The kinds that leave here. */
    readonly sends: Sends
    /** The kinds that are understood here; others are reported. */
    readonly receives: Receives
    /** Who is at the other end, for the reports. */
    readonly peer: string
  }
): Effect.fn.Return<Channel<Sends[number]["Type"], Receives[number]["Type"]>, never, Scope.Scope> {
  const encode = Schema.encodeEffect(Protocol.codec(kinds.sends))
  const decode = Schema.decodeUnknownExit(Protocol.codec(kinds.receives))
  const queue = yield* linesOf(socket)
  const nextLine = Effect.tap(Queue.take(queue), () =>
    Effect.sync(() => {
      if (socket.isPaused() && Queue.sizeUnsafe(queue) < waitingLimit) socket.resume()
    }))

  const receive: Effect.Effect<Receives[number]["Type"], Cause.Done> = Effect.flatMap(nextLine, (line) => {
    const exit: Exit.Exit<Receives[number]["Type"], unknown> = line === undefined
      ? Exit.fail(`it is longer than ${Protocol.messageLimit} bytes`)
      : decode(line)
    return Exit.isSuccess(exit) ? Effect.succeed(exit.value) : Effect.andThen(report(kinds.peer, line), receive)
  })
  let isCorked = false
  const uncork = () => {
    if (!isCorked) return
    isCorked = false
    socket.uncork()
  }
  const post = (message: Sends[number]["Type"]): Effect.Effect<Effect.Effect<boolean>> =>
    Effect.map(Effect.orDie(encode(message)), (line) => {
      const written = Deferred.makeUnsafe<boolean>()
      // What is sent in one turn goes out in one call of the system.
      if (!isCorked) {
        isCorked = true
        socket.cork()
        process.nextTick(uncork)
      }
      socket.write(`${line}\n`, (error) => {
        Deferred.doneUnsafe(written, Effect.succeed(error === null || error === undefined))
      })
      return Deferred.await(written)
    })
  // Node writes before it returns, unless something that it wrote before waits for room.
  const flush = Effect.sync(uncork)
  return { receive, post, flush, send: (message) => Effect.flatten(post(message)) }
})

const report = (peer: string, line: string | undefined): Effect.Effect<void> => {
  const text = line === undefined
    ? `longer than ${Protocol.messageLimit} bytes`
    : line.length > 200
    ? `${line.slice(0, 200)}…`
    : line
  return Effect.logWarning(`dropped from ${peer} what is no message: ${text}`)
}

// --- lines -----------------------------------------------------------------------------------------------------------

// So many lines wait to be received before the socket is not read any more.
const waitingLimit = 256

// Lines as they arrive, undefined for one that is too long; the queue ends with the socket.
const linesOf = Effect.fnUntraced(function*(socket: net.Socket) {
  const queue = yield* Queue.unbounded<string | undefined, Cause.Done>()
  const split = splitter((line) => {
    Queue.offerUnsafe(queue, line)
    if (Queue.sizeUnsafe(queue) >= waitingLimit) socket.pause()
  })
  yield* Effect.acquireRelease(
    Effect.sync(() => {
      socket.on("error", () => {}) // "close" follows, and says enough
      socket.on("data", split)
      socket.on("close", () => Queue.endUnsafe(queue))
    }),
    () => Effect.sync(() => socket.destroy())
  )
  return queue
})

const lineFeed = 10

/** @internal Cuts a stream of bytes into lines; undefined stands for a line longer than the limit. */
export const splitter = (onLine: (line: string | undefined) => void, limit: number = Protocol.messageLimit) => {
  let parts: Array<Buffer> = []
  let size = 0
  const add = (part: Buffer) => {
    size += part.length
    if (size <= limit) parts.push(part)
    else parts = [] // what is too long is not kept, only its length is
  }
  return (chunk: Buffer): void => {
    let start = 0
    for (let end = chunk.indexOf(lineFeed); end >= 0; end = chunk.indexOf(lineFeed, start)) {
      add(chunk.subarray(start, end))
      onLine(size <= limit ? Buffer.concat(parts).toString("utf8") : undefined)
      parts = []
      size = 0
      start = end + 1
    }
    if (start < chunk.length) add(chunk.subarray(start))
  }
}
