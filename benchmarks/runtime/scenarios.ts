/**
 * The scenarios of the runtime benchmark, as data: cases, peers, goals, and what Kore took.
 *
 * When to reach for it: to see what is measured and what is expected of it.
 * What it is not: a claim about Kore. Its figures were recorded elsewhere (runtime §18 and §8: one worker with Python on
 * a shared machine of two cores, the best wall time of 7 runs), for work that is alike at best.
 */
import type { Goal, Peer, Scenario } from "./Scenario.ts"

const koreFx: Peer = { name: "kore-fx", title: "kore-fx", package: "kore-fx" }
const promise: Peer = { name: "promise", title: "plain Promises" }
const effect: Peer = { name: "effect", title: "Effect, defaults", package: "effect" }
const effectRunFork: Peer = { name: "effect-run-fork", title: "Effect.runFork", package: "effect" }
const asyncMutex: Peer = { name: "async-mutex", title: "async-mutex", package: "async-mutex" }
const pLimit: Peer = { name: "p-limit", title: "p-limit, allSettled", package: "p-limit" }

/** At most three times what Promises take, and less than a quarter of what Effect's defaults take. */
const handsOver = (name: string): ReadonlyArray<Goal> => [
  { case: name, quantity: "cpu", beside: "promise", atMost: 3, text: "at most 3 × plain Promises" },
  { case: name, quantity: "cpu", beside: "effect", atMost: 0.25, text: "under a quarter of Effect's defaults" }
]

const ordinary = { standard: true, rounds: 7, nodeArgs: [] } as const

const task: Scenario = {
  ...ordinary,
  name: "task",
  title: "a task that does next to nothing",
  peers: [promise, koreFx, effect, effectRunFork],
  cases: [
    {
      name: "create-finish",
      title: "create, run, finish",
      operations: 100,
      recorded: 270,
      recordedAs: "task_create, run, finish"
    },
    {
      name: "create-join",
      title: "create and join",
      operations: 1,
      recorded: 510,
      recordedAs: "task_create and wait via a queue"
    }
  ],
  goals: handsOver("create-join")
}

const suspend: Scenario = {
  ...ordinary,
  name: "suspend",
  title: "waiting for a turn of the event loop, and for a millisecond",
  peers: [promise, koreFx, effect],
  cases: [
    { name: "turn-1", title: "a turn, 1 task", operations: 1, recorded: 710, recordedAs: "suspend(0), 1 task" },
    {
      name: "turn-100",
      title: "a turn, 100 tasks",
      operations: 100,
      recorded: 370,
      recordedAs: "suspend(0), 100 tasks"
    },
    { name: "sleep-10000", title: "1 ms, 10,000 tasks", operations: 10_000 }
  ],
  goals: [{ case: "sleep-10000", quantity: "cpu", beside: "promise", atMost: 2, text: "at most 2 × setTimeout" }]
}

const lock: Scenario = {
  ...ordinary,
  name: "lock",
  title: "taking a lock around something synchronous",
  peers: [promise, koreFx, asyncMutex, effect],
  cases: [
    {
      name: "free",
      title: "nobody else wants it",
      operations: 1,
      recorded: 340,
      recordedAs: "lock uncontended enter and exit"
    },
    {
      name: "hand-over-2",
      title: "handed over between 2",
      operations: 2,
      recorded: 890,
      recordedAs: "lock between 2 tasks over suspend(0)"
    },
    {
      name: "hand-over-100",
      title: "handed over between 100",
      operations: 100,
      recorded: 320,
      recordedAs: "lock hand-over along 100,000 waiters"
    }
  ],
  goals: [...handsOver("hand-over-2"), ...handsOver("hand-over-100")]
}

const queue: Scenario = {
  ...ordinary,
  name: "queue",
  title: "items between two tasks",
  peers: [promise, koreFx, effect],
  cases: [
    { name: "ping-pong", title: "there and back over 2 queues", operations: 1 },
    {
      name: "one-way",
      title: "one way, capacity 100",
      operations: 1,
      recorded: 250,
      recordedAs: "queue push and pop between 2 tasks, without a capacity"
    }
  ],
  goals: [...handsOver("ping-pong"), ...handsOver("one-way")]
}

const gather: Scenario = {
  ...ordinary,
  name: "gather",
  title: "10,000 children, 100 at a time, and how each of them ended",
  peers: [pLimit, koreFx, effect],
  cases: [
    {
      name: "synchronous",
      title: "a child that computes",
      operations: 10_000,
      recorded: 950,
      recordedAs: "gather of 10,000, concurrency 100, each"
    },
    { name: "yielding", title: "a child that yields once", operations: 10_000 }
  ],
  goals: []
}

const parked = (tasks: number, recorded: { readonly park?: number }): Pick<Scenario, "peers" | "cases" | "parked"> => ({
  peers: [promise, koreFx, effect],
  parked: tasks,
  cases: [
    {
      name: "park",
      title: "create until suspended, each",
      operations: tasks,
      ...(recorded.park === undefined ? {} : { recorded: recorded.park, recordedAs: "parking in suspend(1 h), each" })
    },
    {
      name: "resident",
      title: "resident memory, each",
      operations: tasks,
      recorded: 912,
      recordedAs: "100,000 suspended tasks, each"
    },
    { name: "heap", title: "heap used, each", operations: tasks },
    { name: "kill-newest-first", title: "end the newest, the first 1,000", operations: 1000 },
    { name: "kill-newest", title: "end the newest, the next 1,000", operations: 1000 },
    { name: "cancel-all", title: "end all, each", operations: tasks }
  ]
})

const killNewest = ["kill-newest-first", "kill-newest"].map((name): Goal => ({
  case: name,
  quantity: "wall",
  atMost: 10_000,
  text: "under 10 µs"
}))
// Of both, as pages that the rehearsals left behind are not counted again in the first.
const areSmall = ["resident", "heap"].map((name): Goal => ({
  case: name,
  quantity: "bytes",
  atMost: 1.3 * 1024,
  text: "at most 1.3 KiB"
}))

const hundredThousand: Scenario = {
  ...ordinary,
  ...parked(100_000, { park: 392_000 }),
  name: "parked",
  title: "100,000 tasks that wait for an hour",
  goals: [
    { case: "park", quantity: "wall", atMost: 10_000, text: "all 100,000 in under a second, 10 µs each" },
    ...areSmall,
    ...killNewest
  ]
}

const million: Scenario = {
  ...parked(1_000_000, {}),
  name: "parked-million",
  title: "1,000,000 tasks that wait for an hour",
  goals: [...areSmall, ...killNewest],
  standard: false,
  rounds: 3,
  nodeArgs: ["--max-old-space-size=8192"]
}

/** Every scenario. */
export const scenarios: ReadonlyArray<Scenario> = [task, suspend, lock, queue, gather, hundredThousand, million]
