/**
 * Spawns the processes of a soak, talks to each, and reaps all of them.
 *
 * When to reach for it: `processes.ts` starts it as `spawner.ts <processes>`. It does the next step when it is asked.
 * What it is not: an app. A parent and HTTP would have descriptors of their own.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Proc, Scheduler } from "kore-fx"
import { once } from "node:events"
import type { Answers, Ends } from "./processes.ts"

const count = Number(process.argv[2])

/** Waits until the next step is asked for. */
const asked = Effect.promise(() => once(process, "message"))

const timed = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.suspend(() => {
    const start = performance.now()
    return Effect.map(effect, (value) => [value, performance.now() - start] as const)
  })

/** `cat`, which answers with what it was told. */
const answering = (number: number) =>
  Effect.gen(function*() {
    const proc = yield* Proc.spawn(["cat"])
    const line = `hello ${number}\n`
    yield* Proc.send(proc, line)
    const answer = yield* Proc.recv(proc, 1024)
    return { proc, isRight: Option.isSome(answer) && answer.value.toString() === line }
  })

const ending = (proc: Proc.Proc) =>
  Effect.andThen(
    Proc.closeStdin(proc),
    Effect.map(Proc.reap(proc), (exit) => exit._tag === "Exited" && exit.code === 0)
  )

const isTrue = (value: boolean) => value
const all = { concurrency: "unbounded" } as const

const soak = Effect.gen(function*() {
  const numbers = Array.from({ length: count }, (_, number) => number)
  const [started, answers] = yield* timed(Effect.forEach(numbers, answering, all))
  process.send!(
    { right: started.filter(({ isRight }) => isRight).length, answering: answers } satisfies Answers
  )
  yield* asked
  const [ended, took] = yield* timed(Effect.forEach(started, ({ proc }) => ending(proc), all))
  return { right: ended.filter(isTrue).length, ending: took } satisfies Ends
})

const program = Effect.gen(function*() {
  // The first process starts the guard, and loads what is loaded once.
  yield* Proc.run(["true"])
  process.send!("ready")
  yield* asked
  // The scope has closed when the answer goes out: that is what is measured.
  process.send!(yield* Effect.scoped(soak))
})

// Stays until the channel is closed, also when nothing is left to do.
process.on("message", () => {})
Effect.runFork(Effect.provide(program, Scheduler.layer)).addObserver((exit) => {
  if (exit._tag === "Failure") {
    console.error(exit.cause)
    process.exit(1)
  }
})
