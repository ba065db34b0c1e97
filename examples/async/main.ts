import { Cause, Context, Deferred, Effect, Exit, Layer, Option, Schema, Stream } from "effect"
import { Domain, Gather, Kore, Lock, Proc, Queue, Response, Route, Server, Socket, Suspend, Task } from "kore-fx"

// --- /lock/:millis: one request at a time -----------------------------------------------------------------------------

const door = Lock.makeUnsafe({ name: "door" })

const stay = Effect.fnUntraced(function*(millis: number) {
  yield* Effect.log(`inside for ${millis} ms`)
  yield* Suspend.suspend(millis)
  yield* Effect.log("outside again")
  return Response.text(`was alone for ${millis} ms\n`)
})

const lock = Route.get("/lock/:millis", { path: { millis: Schema.Int } },
  ({ path }) => Lock.withLock(door, stay(path.millis)))

// --- /queue/:text: a task does the work --------------------------------------------------------------------------------

interface Job {
  readonly text: string
  readonly answer: Deferred.Deferred<string>
}

const jobs = Queue.makeUnsafe<Job>({ capacity: 100, name: "jobs" })

const shout = Effect.gen(function*() {
  for (let done = 1;; done++) {
    const { answer, text } = yield* Queue.pop(jobs)
    yield* Deferred.succeed(answer, `${text.toUpperCase()}! (job ${done})\n`)
  }
})

// One task for the life of the worker; it ends with it.
const shouter = Layer.effectDiscard(Task.create(shout, { name: "shouter" }))

const queue = Route.get("/queue/:text", function*({ path }) {
  const answer = yield* Deferred.make<string>()
  yield* Queue.push(jobs, { text: path.text, answer })
  return Response.text(yield* Deferred.await(answer))
})

// --- /proc/:seconds/:limit: a child process with a time limit ----------------------------------------------------------

const script = "echo \"sleeping for $1\"; sleep \"$1\"; echo awake; exit 3"

const run = Effect.fnUntraced(function*(seconds: number, limit: number) {
  // It belongs to the request: whatever is left of it when that ends is killed.
  const child = yield* Proc.spawn(["sh", "-c", script, "sh", String(seconds)], { timeout: `${limit} seconds` })
  yield* Effect.log(`child ${child.pid} runs`)
  const output = yield* Stream.mkString(Stream.decodeText(Proc.stream(child)))
  const exit = yield* Proc.reap(child)
  return Response.text(`${output}${exit._tag === "Exited" ? `exit code ${exit.code}` : exit.signal}\n`)
})

const proc = Route.get("/proc/:seconds/:limit", { path: { seconds: Schema.Int, limit: Schema.Int } },
  ({ path }) =>
    Effect.catchTag(run(path.seconds, path.limit), "ProcError", (error) =>
      error.reason === "TimedOut"
        ? Effect.succeed(Response.text("it takes too long\n", { status: 504 }))
        : Effect.die(error)))

// --- /socket/:name: asks a TCP service ---------------------------------------------------------------------------------

/** A service that says hello to whoever sends a name, and where it is. */
class Greeter extends Context.Service<Greeter, { readonly address: Socket.Address }>()("async/Greeter") {
  static readonly layer = Layer.effect(Greeter, Effect.gen(function*() {
    const listener = yield* Socket.listen({ host: "127.0.0.1", port: 0 })
    yield* Task.create(Effect.forever(Effect.ignore(Effect.scoped(greetOne(listener)))), { name: "greeter" })
    return Greeter.of({ address: listener.address })
  }))
}

const greetOne = Effect.fnUntraced(function*(listener: Socket.Listener) {
  const client = yield* Socket.accept(listener)
  const name = yield* Socket.recv(client, 1024, { timeout: "1 second" })
  if (Option.isSome(name)) yield* Socket.send(client, `hello ${name.value.toString()}\n`)
})

const socket = Route.get("/socket/:name", ({ path }) =>
  Effect.gen(function*() {
    const { address } = yield* Greeter
    const socket = yield* Socket.connect(address, { timeout: "1 second" })
    yield* Socket.send(socket, path.name)
    const greeting = yield* Socket.recv(socket, 1024, { timeout: "1 second" })
    return Response.text(Option.match(greeting, { onNone: () => "silence\n", onSome: (bytes) => bytes.toString() }))
  }).pipe(Effect.catch((error) => Effect.succeed(Response.text(`${error.message}\n`, { status: 502 })))))

// --- /gather: several at once, two of them at a time -------------------------------------------------------------------

const square = (n: number) =>
  Effect.andThen(Suspend.suspend("50 millis"), n === 3 ? Effect.fail(`${n} is unlucky`) : Effect.succeed(n * n))

const gather = Route.get("/gather", function*() {
  const exits = yield* Gather.gather([1, 2, 3, 4].map(square), { concurrency: 2 })
  const lines = exits.map(Exit.match({
    onSuccess: String,
    onFailure: (cause) => `failed: ${String(Cause.squash(cause))}`
  }))
  return Response.text(`${lines.join("\n")}\n`)
})

// --- /kill: starts a task and kills it ---------------------------------------------------------------------------------

const kill = Route.get("/kill", function*() {
  const said = yield* Queue.make<string>()
  const task = yield* Task.create(
    Effect.gen(function*() {
      yield* Effect.addFinalizer(() => Queue.push(said, "its finalizer ran"))
      yield* Queue.push(said, "it runs")
      return yield* Effect.never
    }),
    { name: "victim" }
  )
  const lines = [yield* Queue.pop(said)]
  lines.push(`killed: ${yield* Task.kill(task.id)}`)
  lines.push(Option.getOrElse(yield* Queue.popNow(said), () => "it said nothing"))
  lines.push(`killed again: ${yield* Task.kill(task.id)}`)
  return Response.text(`${lines.join("\n")}\n`)
})

// -----------------------------------------------------------------------------------------------------------------------

export const app = Kore.app({
  config: { workers: 1, deployment: "development" },
  servers: { main: Server.tcp({ host: "127.0.0.1", port: Number(process.env["PORT"] ?? 8888), tls: false }) },
  worker: Domain.layer("*", { attach: "main" }, [lock, queue, proc, socket, gather, kill]).pipe(
    Layer.provide([Greeter.layer, shouter])
  )
})

if (import.meta.main) Effect.runFork(Kore.main(app))
