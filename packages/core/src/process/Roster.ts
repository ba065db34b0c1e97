/**
 * What the parent knows of its workers: what each is doing, and the fibers that it tells about when it is asked.
 *
 * When to reach for it: `ControlServer` answers from it.
 * What it is not: in charge. `Supervisor` is, and this is told.
 */
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as Control from "./Control.ts"
import type * as Protocol from "./Protocol.ts"
import type { Child } from "./Spawner.ts"
import type { Status } from "./Supervisor.ts"

/** The roster of a server. */
export interface Roster {
  readonly onStatus: (status: Status) => Effect.Effect<void>
  /** Asks this process when the worker is asked, until the scope closes. */
  readonly attach: (worker: number, process: Pick<Child, "post">) => Effect.Effect<void, never, Scope.Scope>
  /** Gets the answer of a worker. */
  readonly heard: (worker: number, answer: (typeof Protocol.Fibers)["Type"]) => Effect.Effect<void>
  /** All workers, by number. */
  readonly workers: Effect.Effect<ReadonlyArray<Control.WorkerStatus>>
  /** All workers with their fibers; asks each, and waits at most 2 seconds. */
  readonly fibers: Effect.Effect<ReadonlyArray<Control.WorkerFibers>>
}

/** How long a worker may take to list its fibers. */
export const patience = "2 seconds"

// All rows together take at most so many bytes, and those of one worker an eighth of it.
const rowsLimit = 32 * 1024 * 1024

interface Seat {
  state: Control.WorkerState
  pid: number | undefined
  since: number
  process: Pick<Child, "post"> | undefined
}

type Told = Pick<Control.WorkerFibers, "fibers" | "total" | "problem">

interface Question {
  readonly worker: number
  readonly answer: Deferred.Deferred<Told>
}

/** Makes the roster of so many workers. */
export const make = (count: number): Effect.Effect<Roster> =>
  Effect.map(now, (start) => {
    const seats = new Map<number, Seat>()
    for (let worker = 1; worker <= count; worker++) {
      seats.set(worker, { state: "starting", pid: undefined, since: start, process: undefined })
    }
    const questions = new Map<number, Question>()
    let lastId = 0

    const answer = (id: number, told: Told): void => {
      const question = questions.get(id)
      if (question !== undefined) Deferred.doneUnsafe(question.answer, Effect.succeed(told))
    }

    const ask = (worker: number, seat: Seat): Effect.Effect<Told> =>
      Effect.suspend(() => {
        const { process } = seat
        if (process === undefined) return Effect.succeed(nothing("has no process"))
        const id = ++lastId
        const question = { worker, answer: Deferred.makeUnsafe<Told>() }
        questions.set(id, question)
        const size = Math.floor(rowsLimit / Math.max(8, count))
        return process.post({ _tag: "ListFibers", id, size }).pipe(
          Effect.andThen(Deferred.await(question.answer)),
          Effect.timeoutOrElse({ duration: patience, orElse: () => Effect.succeed(nothing("does not answer")) }),
          Effect.ensuring(Effect.sync(() => questions.delete(id)))
        )
      })

    const statusOf = (worker: number, { pid, since, state }: Seat, time: number): Control.WorkerStatus => ({
      worker,
      ...(pid === undefined ? {} : { pid }),
      state,
      since: time - since
    })

    return {
      onStatus: (status) =>
        Effect.map(now, (since) => {
          const seat = seats.get(status.worker)
          if (seat === undefined) return
          seat.state = states[status._tag]
          seat.pid = status._tag === "Waiting" ? undefined : status.pid
          seat.since = since
        }),
      attach: (worker, process) =>
        Effect.asVoid(Effect.acquireRelease(
          Effect.sync(() => {
            const seat = seats.get(worker)
            if (seat !== undefined) seat.process = process
          }),
          () =>
            Effect.sync(() => {
              const seat = seats.get(worker)
              if (seat !== undefined) seat.process = undefined
              for (const [id, question] of questions) if (question.worker === worker) answer(id, nothing("has ended"))
            })
        )),
      heard: (worker, { id, problem, rows, total }) =>
        Effect.sync(() => {
          // A worker speaks for itself alone.
          if (questions.get(id)?.worker !== worker) return
          answer(id, { fibers: rows, total, ...(problem === undefined ? {} : { problem }) })
        }),
      workers: Effect.map(now, (time) => [...seats].map(([worker, seat]) => statusOf(worker, seat, time))),
      fibers: Effect.forEach(
        seats,
        ([worker, seat]) =>
          Effect.flatMap(ask(worker, seat),
            (told) => Effect.map(now, (time) => ({ ...statusOf(worker, seat, time), ...told }))),
        { concurrency: "unbounded" }
      )
    }
  })

const states = {
  Starting: "starting",
  Ready: "ready",
  Stopping: "stopping",
  Waiting: "waiting"
} as const satisfies Record<Status["_tag"], Control.WorkerState>

const nothing = (problem: string): Told => ({ fibers: [], total: 0, problem })

const now = Effect.map(Clock.monotonicTimeNanos, (nanos) => Number(nanos / 1_000_000n))
