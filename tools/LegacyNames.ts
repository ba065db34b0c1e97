/**
 * What `kore-fx/legacy` has, asked of the module itself: exports, members of its objects, keywords, hooks, options.
 *
 * When to reach for it: something says that a name of Kore's API is there.
 * What it is not: a test of what the names do.
 *
 * Objects that need a worker are made in one, by an app in this process.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as HttpBody from "effect/http/HttpBody"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { root } from "./tsgo.ts"

/** The names of the old API. */
export interface LegacyNames {
  /**
   * Values by name: `kore.log`, `kore.lock().acquire`, `kore.socket.AF_INET`, `kore.config.workers`; what handlers have at
   * hand stands under `domain.`, `req.`, `connection.` and `http_file.`.
   */
  readonly values: ReadonlyMap<string, unknown>
  /** The names of what the module exports, without `kore.` in front. */
  readonly exports: ReadonlyArray<string>
  /** The keywords of functions that have some: `concurrency` of `kore.gather`, `auth.type` of `domain.route`. */
  readonly keywords: ReadonlyMap<string, ReadonlyArray<string>>
  /** Those of the hooks asked for that an app may have. */
  readonly hooks: ReadonlySet<string>
  /** Options that are read and not applied, by name (`kore.config.root`), with the capability that will. */
  readonly later: ReadonlyMap<string, string>
  /** What could not be asked, with the reason. */
  readonly failures: ReadonlyMap<string, string>
}

/** What the API gives to programs that is no export of the module: their names for it. */
export const objects = ["domain", "req", "connection", "http_file"] as const

const form = HttpBody.text(
  "--b\r\ncontent-disposition: form-data; name=\"f\"; filename=\"f.txt\"\r\n\r\nx\r\n--b--\r\n",
  "multipart/form-data; boundary=b"
)

/** Imports a module of a package by its file: tools stand outside of the packages. */
export const load = (file: string): Promise<any> => import(pathToFileURL(join(root, file)).href)

/** Asks the old API for everything that it has, and for these hooks: `koreapp.onmsg`, `kore_worker_configure`. */
export const probe = async (hooks: Iterable<string>): Promise<LegacyNames> => {
  const [legacy, { Config, Kore }] = await Promise.all([
    load("packages/kore-fx/src/legacy.ts"),
    load("packages/kore-fx/src/index.ts")
  ])
  const { kore, reset, toApp } = legacy
  const exports = Object.keys(legacy)
  const values = new Map<string, unknown>()
  const keywords = new Map<string, ReadonlyArray<string>>()
  const failures = new Map<string, string>()

  /** Does what it can, so that one name that is missing hides no other. */
  const attempt = (name: string, f: () => void): void => {
    try {
      f()
    } catch (error) {
      failures.set(name, (error as Error).message)
    }
  }
  /** Enters an object's members under its name, and returns the object. */
  const enter = <A extends object>(name: string, object: A): A => {
    for (let at: object = object; at !== null && at !== Object.prototype; at = Object.getPrototypeOf(at)) {
      for (const key of Object.getOwnPropertyNames(at)) {
        if (key !== "constructor") values.set(`${name}.${key}`, Reflect.get(object, key))
      }
    }
    return object
  }
  /**
   * Enters a function's keywords, which it tells when it is called with one that it has not; with `within`, those of the
   * object that it takes under that keyword.
   */
  const ask = (name: string, call: (options: object) => unknown, within?: string): void =>
    attempt(name, () => {
      try {
        call(within === undefined ? { "?": 0 } : { [within]: { "?": 0 } })
      } catch (error) {
        const known = /has no keyword "\?": .*It has (.*)$/.exec((error as Error).message)?.[1]
        if (known === undefined) throw error
        const found = known.split(", ").map((keyword) => within === undefined ? keyword : `${within}.${keyword}`)
        return keywords.set(name, [...keywords.get(name) ?? [], ...found])
      }
      throw new Error(`it took the keyword "?" ${within === undefined ? "" : `in ${within} `}without a word`)
    })

  class Probe {
    configure() {
      ask("kore.server", (options) => kore.server(options))
      kore.server("main", { path: "@unused", tls: false })
      ask("kore.domain", (options) => kore.domain("*", options))
      const domain = enter("domain", kore.domain("*", { attach: "main" }))
      const routes = {
        "kore.route": (options: object) => kore.route("/", () => {}, options),
        "domain.route": (options: object) => domain.route("/", () => {}, options)
      }
      for (const [name, call] of Object.entries(routes)) {
        ask(name, call)
        ask(name, call, "auth")
        ask(name, call, "hooks")
      }
      domain.route("/", (req: any) => {
        attempt("req", () => enter("req", req))
        attempt("connection", () => enter("connection", req.connection))
        attempt("http_file", () => {
          req.populate_multi()
          enter("http_file", req.file_lookup("f"))
        })
        req.response(204, null)
      }, { methods: ["post"] })
    }
    async workerstart() {
      ask("kore.gather", (options) => kore.gather(options))
      ask("kore.timer", (options) => kore.timer(() => {}, 1, 0, options))
      ask("kore.proc", (options) => kore.proc("true", options))
      ask("kore.sendobj", (options) => kore.sendobj(0, options))
      attempt("kore.lock()", () => enter("kore.lock()", kore.lock()))
      attempt("kore.queue()", () => enter("kore.queue()", kore.queue()))
      attempt("kore.timer()", () => enter("kore.timer()", kore.timer(() => {}, 3_600_000, 0)).close())
      attempt("kore.proc()", () => enter("kore.proc()", kore.proc("true")))
      attempt("kore.socket", () => enter("kore.socket", kore.socket))
      attempt("kore.socket.socket()", () => {
        const socket = enter("kore.socket.socket()", kore.socket.socket(kore.socket.AF_INET, kore.socket.SOCK_STREAM))
        enter("kore.socket_wrap()", kore.socket_wrap(socket)).close()
        socket.close()
      })
    }
  }

  enter("kore", legacy)
  enter("kore.config", kore.config)
  reset()
  await Effect.runPromise(Effect.scoped(Effect.gen(function*() {
    const app = yield* toApp(new Probe()) as Effect.Effect<any>
    const worker = yield* Layer.build(Kore.test(app) as Layer.Layer<HttpClient.HttpClient>)
    // For what handlers get, one has to run.
    yield* Effect.provide(HttpClient.post("/", { body: form }), worker)
  })))

  /** Tells whether there is such a hook: then it has to be a function. */
  const isHook = async (name: string): Promise<boolean> => {
    reset()
    const own = name.replace(/^koreapp\./, "")
    const app = own === name ? toApp({}, { module: { [own]: 0 } }) : toApp({ [own]: 0 })
    const exit = await Effect.runPromiseExit(app as Effect.Effect<unknown, Error>)
    return Exit.isFailure(exit) && String(exit.cause).includes(`the hook ${own} is 0, expected a function`)
  }
  const known = new Set<string>()
  for (const hook of hooks) if (await isHook(hook)) known.add(hook)
  reset()

  const later = new Map<string, string>()
  for (const [name, option] of Object.entries<{ readonly later?: string }>(Config.options)) {
    if (option.later !== undefined) later.set(`kore.config.${Config.toLegacyName(name)}`, option.later)
  }
  return { values, exports, keywords, hooks: known, later, failures }
}
