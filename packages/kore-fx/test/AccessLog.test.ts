import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import { Domain, Kore, Response, Route, Server } from "kore-fx"
import * as fs from "node:fs"
import * as http from "node:http"
import * as os from "node:os"
import * as path from "node:path"
import * as TestProcess from "./legacy/TestProcess.ts"

const directory = Effect.acquireRelease(
  Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "kore-fx-"))),
  (path) => Effect.sync(() => fs.rmSync(path, { recursive: true }))
)

const linesOf = (file: string): ReadonlyArray<string> =>
  fs.existsSync(file) ? fs.readFileSync(file, "utf8").split("\n").slice(0, -1) : []

describe("a domain with an access log", () => {
  it.live("A9, B32: logs redirects, what no route answers and what no domain answers, each once", () =>
    Effect.gen(function*() {
      const file = path.join(yield* directory, "access.log")
      const app = Kore.app({
        servers: { main: Server.tcp({ host: "127.0.0.1", port: 0, tls: false }) },
        worker: Domain.layer("localhost", { attach: "main", accessLog: { path: file } }, [
          Route.get("/old", () => Effect.succeed(Response.redirect("/new?q=1"))),
          Route.get("/new", () => Effect.succeed(Response.text("here")))
        ])
      })
      yield* Effect.gen(function*() {
        yield* HttpClient.get("/old")
        yield* HttpClient.get("/new?q=1", { headers: { "user-agent": "\"a\\b", referer: "two" } })
        yield* HttpClient.get("/nothing")
        yield* HttpClient.post("/new")
        yield* HttpClient.execute(HttpClientRequest.options("/new"))
        yield* HttpClient.head("/new")
        yield* HttpClient.get("http://elsewhere.example/new")
      }).pipe(Effect.provide(Kore.test(app)))
      const lines = linesOf(file)
      assert.deepStrictEqual(lines.map((line) => /"([A-Z]+ \S+) HTTP\/1\.1" (\d+)/.exec(line)!.slice(1)), [
        ["GET /old", "302"],
        ["GET /new", "200"],
        ["GET /nothing", "404"],
        ["POST /new", "405"],
        ["OPTIONS /new", "204"],
        ["HEAD /new", "200"],
        ["GET /new", "404"]
      ])
      assert.match(lines[1]!, /^- - - \[[^\]]+\] "GET \/new HTTP\/1\.1" 200 4 "two" "\\x22a\\x5cb"$/)
    }))

  it.live("that cannot be opened does not start", () =>
    Effect.gen(function*() {
      const file = path.join(yield* directory, "missing", "access.log")
      const app = Kore.app({
        servers: { main: Server.tcp({ host: "127.0.0.1", port: 0, tls: false }) },
        worker: Domain.layer("*", { attach: "main", accessLog: { path: file } }, [])
      })
      const error = yield* Effect.flip(Effect.provide(HttpClient.get("/"), Kore.test(app)))
      assert.include(error.message, `the access log ${file} cannot be opened (ENOENT)`)
    }))
})

// On a connection of its own, so that any worker may get it.
const get = (port: number, target: string): Effect.Effect<number | undefined> =>
  Effect.callback((resume) => {
    const request = http.get({ port, host: "127.0.0.1", path: target, agent: false }, (response) => {
      response.resume()
      response.on("end", () => resume(Effect.succeed(response.statusCode)))
    })
    request.on("error", (error) => resume(Effect.die(error)))
    return Effect.sync(() => request.destroy())
  })

describe("the access log of a server with several workers", () => {
  it.live("B39: is opened anew by all of them when the parent gets SIGUSR1, and loses nothing, at the end neither", () =>
    Effect.gen(function*() {
      const file = path.join(yield* directory, "access.log")
      const app = yield* TestProcess.start("../../fixtures/accessLog", file)
      const [, url] = yield* app.expect(/listens on (http:\/\/\S+)\][^]*workers ready/)
      const port = Number(new URL(url!).port)
      let sent = 0
      const send = Effect.suspend(() => get(port, `/${sent++}`))
      const writers = () => new Set(linesOf(file).map((line) => line.split(" ")[0])).size
      // As many at once as it takes for both workers to get some.
      const untilBothWrite = Effect.suspend(() => Effect.all([send, send, send, send], { concurrency: "unbounded" }))
        .pipe(Effect.repeat({ until: () => writers() === 2 }))

      yield* untilBothWrite
      fs.renameSync(file, `${file}.1`)
      process.kill(app.pid, "SIGUSR1")
      yield* app.expect(/SIGUSR1 passed on to 2 workers/)
      yield* untilBothWrite
      yield* Effect.all(Array.from({ length: 20 }, () => send), { concurrency: "unbounded" })
      process.kill(app.pid, "SIGTERM")
      assert.deepStrictEqual(yield* app.ended, { code: 0, signal: null })

      const all = [...linesOf(`${file}.1`), ...linesOf(file)].map((line) => line.replace(/^\d+ /, ""))
      assert.sameMembers(all, Array.from({ length: sent }, (_, n) => `/${n} 200`))
      assert.notMatch(app.output(), /warn: (?!not applied)|error/)
    }))
})
