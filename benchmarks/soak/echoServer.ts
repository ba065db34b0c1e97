/**
 * The echo server of a soak: `Socket.serve` and nothing else, as a worker runs it.
 *
 * When to reach for it: `echo.ts` starts it in a Node with `--expose-gc`. It tells its port, then what it is asked.
 * What it is not: an app. A parent and HTTP would have descriptors of their own.
 */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { Fibers, Scheduler, Socket, Tracer } from "kore-fx"
import type { Measures } from "./echo.ts"

const echo = Effect.fnUntraced(function*(socket: Socket.Stream) {
  while (true) {
    const data = yield* Socket.recv(socket, 65536)
    if (Option.isNone(data)) return
    yield* Socket.send(socket, data.value)
  }
})

let reports = 0

const measures = Effect.map(Fibers.list, (rows): Measures => {
  const connections = rows.filter(({ kind }) => kind === "connection").length
  return { connections, reports, heap: 0 }
})

const server = Effect.gen(function*() {
  const listener = yield* Socket.listen({ host: "127.0.0.1", port: 0 }, { backlog: 4096 })
  const run = Effect.runForkWith(yield* Effect.context<never>())
  process.on("message", () =>
    run(Effect.map(measures, (measured) => {
      // The list is garbage by now.
      globalThis.gc!()
      process.send!({ ...measured, heap: process.memoryUsage().heapUsed })
    })))
  process.send!((listener.address as Socket.Inet).port)
  yield* Socket.serve(listener, echo)
})

const tracer = Tracer.layer((cause) =>
  Effect.sync(() => {
    reports++
    console.error(cause)
  })
)

const fiber = Effect.runFork(Effect.provide(Effect.scoped(server), Layer.merge(tracer, Scheduler.layer)))
process.on("disconnect", () => Effect.runFork(Fiber.interrupt(fiber)))
