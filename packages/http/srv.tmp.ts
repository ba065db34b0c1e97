import * as T from "./src/transport/Transport.ts"
import * as Effect from "effect/Effect"
import * as R from "effect/http/HttpServerResponse"
import * as Context from "effect/Context"
const ctx = Context.empty()
const run = Effect.runForkWith(ctx)
const h = Effect.sync(() => R.text("hello"))
const settings = { headMax: 16384, fieldMax: 100, bodyMax: 1<<20, headTimeout: 10000, bodyTimeout: 60000, idleTimeout: 20000, writeTimeout: 60000, drainTimeout: 5000, requestLimit: 1e6, connectionLimit: 1000, backlog: 1024, server: "kore-fx" }
Effect.runFork(Effect.scoped(Effect.gen(function*() {
  const l = yield* T.listen({ host: "127.0.0.1", port: Number(process.argv[2]) }, settings, {
    handle: (req, conn) => { const f = run(h); const e = f.pollUnsafe()!; if (e._tag === "Success") conn.respond(req, e.value as any) },
    report: (c) => console.error(c)
  })
  console.log(l.address)
  yield* Effect.never
})))
let c0: any
process.on("SIGUSR2", () => { if (c0) { const c = process.cpuUsage(c0); console.log(c.user + c.system); c0 = undefined } else c0 = process.cpuUsage() })
