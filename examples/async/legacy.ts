import { kore } from "kore-fx/legacy"

interface Job {
  readonly text: string
  readonly answer: kore.Queue<string>
}

const script = "echo \"sleeping for $1\"; sleep \"$1\"; echo awake; exit 3"

class AsyncApp {
  readonly door = kore.lock()
  readonly jobs = kore.queue<Job>(100)
  greeter_port = 0

  configure() {
    kore.config.workers = 1
    kore.config.deployment = "dev"

    kore.server("main", { ip: "127.0.0.1", port: process.env["PORT"] ?? "8888", tls: false })

    const domain = kore.domain("*", { attach: "main" })
    domain.route("^/lock/([0-9]+)$", this.lock, { methods: ["get"] })
    domain.route("^/queue/([^/]+)$", this.queue, { methods: ["get"] })
    domain.route("^/proc/([0-9]+)/([0-9]+)$", this.proc, { methods: ["get"] })
    domain.route("^/socket/([^/]+)$", this.socket, { methods: ["get"] })
    domain.route("/gather", this.gather, { methods: ["get"] })
    domain.route("/kill", this.kill, { methods: ["get"] })
  }

  // Tasks of the worker; they end with it. A generator does not begin before it is in a task.
  workerstart() {
    kore.task_create(this.shout())

    const plain = kore.socket.socket(kore.socket.AF_INET, kore.socket.SOCK_STREAM)
    plain.bind(["127.0.0.1", 0])
    plain.listen()
    this.greeter_port = plain.getsockname()[1]
    kore.task_create(this.greet(kore.socket_wrap(plain)))
  }

  // --- /lock/:millis: one request at a time ----------------------------------------------------------------------------

  async lock(req: kore.Request, millis: string) {
    await using _ = await this.door.acquire()
    kore.log(kore.LOG_INFO, `inside for ${millis} ms`)
    await kore.suspend(Number(millis))
    kore.log(kore.LOG_INFO, "outside again")
    req.response(200, `was alone for ${millis} ms\n`)
  }

  // --- /queue/:text: a task does the work ------------------------------------------------------------------------------

  async queue(req: kore.Request, text: string) {
    const answer = kore.queue<string>()
    this.jobs.push({ text, answer })
    req.response(200, await answer.pop())
  }

  *shout() {
    for (let done = 1;; done++) {
      const { answer, text } = yield* this.jobs.pop()
      answer.push(`${text.toUpperCase()}! (job ${done})\n`)
    }
  }

  // --- /proc/:seconds/:limit: a child process with a time limit --------------------------------------------------------

  async proc(req: kore.Request, seconds: string, limit: string) {
    // It belongs to the coroutine: whatever is left of it when that ends is killed.
    const child = kore.proc(["sh", "-c", script, "sh", seconds], Number(limit) * 1000)
    kore.log(kore.LOG_INFO, `child ${child.pid} runs`)
    try {
      let output = ""
      for (let chunk = await child.recv(8192); chunk !== null; chunk = await child.recv(8192)) output += chunk
      req.response(200, `${output}exit code ${await child.reap()}\n`)
    } catch (error) {
      if (!(error instanceof kore.TimeoutError)) throw error
      req.response(504, "it takes too long\n")
    }
  }

  // --- /socket/:name: asks a TCP service -------------------------------------------------------------------------------

  async socket(req: kore.Request, name: string) {
    const socket = kore.socket_wrap(kore.socket.socket(kore.socket.AF_INET, kore.socket.SOCK_STREAM))
    try {
      await socket.connect("127.0.0.1", this.greeter_port)
      await socket.send(name)
      req.response(200, await socket.recv(1024, 1000) ?? "silence\n")
    } finally {
      socket.close()
    }
  }

  *greet(listener: kore.Socket) {
    while (true) {
      const client = yield* listener.accept()
      try {
        const name = yield* client.recv(1024, 1000)
        if (name !== null) yield* client.send(`hello ${name.toString()}\n`)
      } catch (error) {
        kore.log(kore.LOG_ERR, String(error))
      } finally {
        client.close()
      }
    }
  }

  // --- /gather: several at once, two of them at a time -----------------------------------------------------------------

  async gather(req: kore.Request) {
    const results = await kore.gather(square(1), square(2), square(3), square(4), { concurrency: 2 })
    const lines = results.map((result) => result instanceof Error ? `failed: ${result.message}` : String(result))
    req.response(200, `${lines.join("\n")}\n`)
  }

  // --- /kill: starts a task and kills it -------------------------------------------------------------------------------

  async kill(req: kore.Request) {
    const said = kore.queue<string>()
    const task = kore.task_create(victim(said))
    const lines = [await said.pop()]
    lines.push(`killed: ${kore.task_kill(task)}`)
    lines.push(said.popnow() ?? "it said nothing")
    lines.push(`killed again: ${kore.task_kill(task)}`)
    req.response(200, `${lines.join("\n")}\n`)
  }
}

function* square(n: number) {
  yield kore.suspend(50)
  if (n === 3) throw new Error(`${n} is unlucky`)
  return n * n
}

function* victim(said: kore.Queue<string>) {
  try {
    said.push("it runs")
    yield kore.suspend(3_600_000)
  } finally {
    said.push("its finalizer ran")
  }
}

export const koreapp = new AsyncApp()

if (import.meta.main) kore.run(koreapp)
