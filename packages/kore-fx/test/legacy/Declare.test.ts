import { assert, beforeEach, describe, it } from "@effect/vitest"
import { ConfigError } from "@kore-fx/core/KoreError"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import { Kore } from "kore-fx"
import { HookError, kore, reset, toApp } from "kore-fx/legacy"
import * as namespace from "kore-fx/legacy"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { ask, routes, start, text, untyped } from "./TestApp.ts"

/** The message of the RuntimeError that is thrown. */
const refused = (f: () => unknown): string => {
  try {
    f()
  } catch (error) {
    if (error instanceof kore.RuntimeError) return error.message
    throw error
  }
  throw new Error("nothing was thrown")
}

beforeEach(reset)

describe("the module", () => {
  it("is the same by both ways of importing it", () => {
    assert.strictEqual(namespace.config, kore.config)
    assert.strictEqual(namespace.server, kore.server)
    const request = (req: namespace.Request): kore.Request => req
    assert.isFunction(request)
  })

  it("has Kore's constants with Kore's values", () => {
    assert.deepStrictEqual(
      [kore.LOG_ERR, kore.LOG_NOTICE, kore.LOG_INFO, kore.RESULT_ERROR, kore.RESULT_OK, kore.RESULT_RETRY],
      [3, 5, 6, 0, 1, 2]
    )
    assert.deepStrictEqual(
      [kore.HTTP_METHOD_GET, kore.HTTP_METHOD_POST, kore.HTTP_METHOD_PUT, kore.HTTP_METHOD_DELETE,
        kore.HTTP_METHOD_HEAD],
      [1, 2, 4, 16, 32]
    )
    assert.deepStrictEqual([kore.HTTP_METHOD_OPTIONS, kore.HTTP_METHOD_PATCH, kore.TIMER_ONESHOT], [64, 128, 1])
    assert.deepStrictEqual([kore.CONN_PROTO_UNKNOWN, kore.CONN_PROTO_HTTP, kore.CONN_PROTO_WEBSOCKET], [0, 1, 2])
    assert.deepStrictEqual([kore.CONN_STATE_ESTABLISHED, kore.MODULE_LOAD, kore.MODULE_UNLOAD], [2, 1, 2])
  })

  it("has no name without what it stands for", () => {
    for (const later of ["dbsetup", "dbquery", "httpclient", "curl", "websocket_broadcast", "privsep"]) {
      assert.notProperty(kore, later)
    }
  })

  it("has the exceptions of Python, by name and class", () => {
    const cause = new Error("tagged")
    for (const [Class, name] of [[kore.RuntimeError, "RuntimeError"], [kore.TimeoutError, "TimeoutError"]] as const) {
      const error = new Class("why", { cause })
      assert.instanceOf(error, Error)
      assert.deepStrictEqual([error.name, error.message, error.cause], [name, "why", cause])
    }
    assert.notInstanceOf(new kore.TimeoutError(""), kore.RuntimeError)
    assert.deepStrictEqual([new kore.Killed().name, new kore.Killed() instanceof Error], ["Killed", true])
  })
})

describe("kore.config", () => {
  it("checks a value when it is assigned, and names option, value and what is allowed", () => {
    assert.strictEqual(
      refused(() => kore.config.workers = 0),
      "kore.config.workers = 0: expected an integer between 1 and 1024"
    )
    assert.match(refused(() => untyped.config.deployment = "prod"),
      /^kore.config.deployment = "prod": expected one of "production"/)
    assert.match(refused(() => untyped.config.root = null), /^kore.config.root = null: expected a path$/)
  })

  it("knows no other option, and suggests the one that was meant", () => {
    assert.strictEqual(
      refused(() => untyped.config.http_body_size = 1),
      "kore.config.http_body_size: expected the name of an option"
    )
    assert.match(refused(() => untyped.config.wokers = 1), /did you mean workers\?$/)
    assert.match(refused(() => untyped.config.httpBodyMax), /did you mean http_body_max\?$/)
  })

  it("carries the tagged error of core as its cause", () => {
    try {
      kore.config.workers = 0
    } catch (error) {
      assert.instanceOf((error as Error).cause, ConfigError)
    }
  })

  it("gives the value in force in Kore's unit, what was assigned or the default, and null without one", () => {
    // As the compiler sees it, a property has the value that was assigned last.
    const read = (name: string) => untyped.config[name]
    assert.strictEqual(read("http_header_timeout"), 10)
    kore.config.http_header_timeout = "1 minute"
    assert.strictEqual(read("http_header_timeout"), 60)
    kore.config.http_request_ms = "1 second"
    assert.strictEqual(read("http_request_ms"), 1000)
    kore.config.http_body_max = "64 KiB"
    assert.strictEqual(read("http_body_max"), 65536)
    kore.config.deployment = "dev"
    assert.strictEqual(read("deployment"), "development")
    assert.isNull(kore.config.pidfile)
  })

  it("http §2.2: every option of HTTP can be assigned and read under Kore's name", () => {
    const values: Readonly<Record<string, unknown>> = {
      http_header_max: 8192,
      http_header_timeout: 5,
      http_body_max: 2048,
      http_body_timeout: 30,
      http_body_disk_offload: 1024,
      http_body_disk_path: "bodies",
      http_server_version: "test",
      http_pretty_error: true,
      http_keepalive_time: 15,
      http_request_limit: 500,
      http_hsts_enable: 3600,
      http_request_ms: 20,
      http_media_type: ["text/csv csv"],
      filemap_ext: ".html",
      filemap_index: "start.html"
    }
    for (const [name, value] of Object.entries(values)) {
      untyped.config[name] = value
      assert.deepStrictEqual(untyped.config[name], value)
    }
  })

  it("kore §4: every option of the runtime can be assigned and read under Kore's name", () => {
    const directory = mkdtempSync(join(tmpdir(), "kore-fx-"))
    const file = join(directory, "kore.json")
    writeFileSync(file, "{}")
    const values: Readonly<Record<string, unknown>> = {
      workers: 2,
      worker_max_connections: 100,
      worker_death_policy: "terminate",
      worker_start_timeout: 5,
      worker_restart_limit: 3,
      worker_restart_period: 60,
      worker_rlimit_nofiles: 1024,
      worker_accept_threshold: 16,
      worker_set_affinity: true,
      shutdown_timeout: 7,
      pidfile: "/run/kore.pid",
      socket_backlog: 10,
      task_threads: 2,
      log_format: "json",
      log_to: "stderr",
      log_level: "Error",
      log_socket: "/run/log",
      logfile: "/var/log/kore.log",
      file
    }
    for (const [name, value] of Object.entries(values)) {
      assert.property(kore.config, name)
      untyped.config[name] = value
      assert.strictEqual(untyped.config[name], value, name)
    }
    rmSync(directory, { recursive: true })
  })

  it("adds to a list with every assignment, as Kore does", () => {
    kore.config.http_media_type = "text/csv csv"
    kore.config.http_media_type = "text/x-y xy yx"
    assert.deepStrictEqual<unknown>(kore.config.http_media_type, ["text/csv csv", "text/x-y xy yx"])
  })

  it("lists its options", () => {
    assert.include(Object.keys(kore.config), "worker_death_policy")
    assert.isTrue("workers" in kore.config)
    assert.isFalse("wokers" in kore.config)
  })

  it.effect("reaches the app, and what reads it there", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* text("/"), "200 3")
      assert.strictEqual((yield* ask("/", { method: "POST", body: "x".repeat(11) })).status, 413)
    }).pipe(Effect.provide(start({
      configure() {
        kore.config.workers = 3
        kore.config.http_body_max = 10
        routes((domain) => domain.route("/", (req) => req.response(200, String(kore.config.workers)))).configure()
      }
    }))))

  it.effect("cannot be assigned once the app has started, nor can anything be declared", () =>
    Effect.gen(function*() {
      const { text } = yield* ask("/")
      assert.deepStrictEqual(JSON.parse(text), [
        "kore.config.workers = …",
        "kore.server",
        "kore.domain",
        "kore.route",
        "kore.tracer"
      ].map((call) => `${call} comes too late: an app declares everything at import or in configure`))
    }).pipe(Effect.provide(start(routes((domain) =>
      domain.route("/", (req) =>
        req.response(200, JSON.stringify([
          refused(() => kore.config.workers = 1),
          refused(() => kore.server("x", { ip: "127.0.0.1", port: 1, tls: false })),
          refused(() => kore.domain("x.org")),
          refused(() => kore.route("/x", () => {})),
          refused(() => kore.tracer(() => {}))
        ])))
    )))))
})

describe("kore.server", () => {
  const address = { ip: "127.0.0.1", port: "8888", tls: false }

  it.effect("declares TCP and UNIX servers, with a name in front, as a keyword, or `default`", () =>
    Effect.gen(function*() {
      const app = yield* toApp({
        configure() {
          kore.server("a", address)
          kore.server({ ...address, name: "b", port: 1 })
          kore.server({ path: "@x", tls: false })
        }
      })
      assert.deepStrictEqual(app.servers, {
        a: { _tag: "Tcp", host: "127.0.0.1", port: 8888, tls: false },
        b: { _tag: "Tcp", host: "127.0.0.1", port: 1, tls: false },
        default: { _tag: "Unix", path: "@x", tls: false }
      })
    }))

  it.effect("has TLS unless it is switched off, which this version refuses to start", () =>
    Effect.gen(function*() {
      const app = yield* toApp({ configure: () => kore.server("main", { ip: "127.0.0.1", port: "8443" }) })
      const error = yield* Effect.flip(Kore.checkServers(app.servers))
      assert.match(error.message,
        /"main" cannot listen on https:\/\/127.0.0.1:8443: TLS is not available in this version/)
    }))

  it("says what is wrong with its keywords", () => {
    const call = (options: object) => refused(() => untyped.server("main", options))
    assert.strictEqual(call({ ...address, porte: 1 }),
      "kore.server has no keyword \"porte\": did you mean \"port\"? It has ip, port, path, tls, name")
    assert.match(call({ tls: false }), /"main" has neither ip nor path/)
    assert.match(call({ ...address, path: "/x" }), /exclude each other/)
    assert.match(call({ ...address, port: "http" }), /port "http", expected a number from 0 to 65535/)
    assert.match(call({ ...address, port: 65536 }), /port 65536, expected a number/)
    assert.match(call({ ip: "127.0.0.1" }), /port undefined, expected a number/)
    assert.match(call({ ...address, tls: "no" }), /tls "no", expected true or false/)
    assert.match(call({ ...address, name: "other" }), /two names, "main" and "other"/)
    assert.match(refused(() => untyped.server("main")), /needs ip and port, or path/)
    kore.server("main", address)
    assert.strictEqual(call(address), "the server \"main\" exists already")
  })
})

describe("kore.domain", () => {
  const declare = () => kore.server("main", { ip: "127.0.0.1", port: 0, tls: false })

  it("needs a server that is declared", () => {
    assert.match(refused(() => kore.domain("*")), /server "default", but no server is declared yet/)
    declare()
    assert.match(refused(() => kore.domain("*", { attach: "man" })), /server "man", but declared are "main"/)
  })

  it("says which capability a keyword of Kore needs, and knows no others", () => {
    declare()
    const call = (options: object) => refused(() => untyped.domain("*", { attach: "main", ...options }))
    assert.strictEqual(
      call({ cert: "cert.pem", key: "key.pem" }),
      "the keyword \"cert\" of kore.domain belongs to TLS, which is not available in this version of kore-fx"
    )
    assert.match(call({ acme: true }), /belongs to ACME/)
    assert.match(call({ atach: "x" }), /no keyword "atach": did you mean "attach"\?/)
  })

  it("is unique on its server, whatever the case", () => {
    declare()
    kore.domain("Example.com", { attach: "main" })
    assert.match(refused(() => kore.domain("example.com.", { attach: "main" })),
      /has the domain "example.com." already/)
  })

  it("refuses shell patterns that would match nothing", () => {
    declare()
    assert.match(refused(() => kore.domain("a*.com", { attach: "main" })), /pattern of a shell/)
    assert.match(refused(() => kore.domain("[ab].com", { attach: "main" })), /pattern of a shell/)
  })

  it("does not take what this version does not have", () => {
    declare()
    const domain = kore.domain("*", { attach: "main" })
    assert.throws(() => (domain as any).certificate = "/tmp/cert", TypeError)
  })

  it("has the file of the access log, which can be read, and must be a path", () => {
    declare()
    const domain = kore.domain("*", { attach: "main" })
    assert.isNull(domain.accesslog)
    domain.accesslog = "access.log"
    assert.strictEqual(domain.accesslog, "access.log")
    assert.match(refused(() => domain.accesslog = 7 as never),
      /the accesslog of "\*" is 7, expected the path of a file/)
  })

  it.effect("answers by the most specific name, whatever the order", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* text("http://example.com/"), "200 exact")
      assert.strictEqual(yield* text("http://a.example.com/"), "200 wildcard")
      assert.strictEqual(yield* text("http://other.org/"), "200 any")
    }).pipe(Effect.provide(start({
      configure() {
        declare()
        for (const [host, name] of [["*", "any"], ["*.example.com", "wildcard"], ["example.com", "exact"]] as const) {
          kore.domain(host, { attach: "main" }).route("/", (req) => req.response(200, name))
        }
      }
    }))))
})

describe("domain.route", () => {
  const domainOf = () => {
    kore.server("main", { ip: "127.0.0.1", port: 0, tls: false })
    return kore.domain("*", { attach: "main" })
  }
  const handler = (req: kore.Request) => req.response(200, "")

  it.effect("takes a url that begins with / byte for byte", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* text("/users/:id"), "200 literal")
      assert.strictEqual((yield* ask("/users/1")).status, 404)
      assert.strictEqual(yield* text("/a.b"), "200 dot")
      for (const url of ["/axb", "/a%2eb", "/a.b/", "//a.b", "/A.b", "/a.bc"]) {
        assert.strictEqual(
          (yield* ask(url)).status,
          404,
          url
        )
      }
      assert.strictEqual(yield* text("/%41"), "200 encoded")
      assert.strictEqual((yield* ask("/A")).status, 404)
      assert.strictEqual(yield* text("/a.b?query"), "200 dot")
    }).pipe(Effect.provide(start(routes((domain) => {
      domain.route("/users/:id", (req) => req.response(200, "literal"))
      domain.route("/a.b", (req) => req.response(200, "dot"))
      domain.route("/%41", (req) => req.response(200, "encoded"))
    })))))

  it.effect("B17: passes more than fifteen captures", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* text("/abcdefghijklmnop"), `200 ${JSON.stringify([..."abcdefghijklmnop", null])}`)
    }).pipe(Effect.provide(start(routes((domain) =>
      domain.route(`^/${"(.)".repeat(16)}(x)?$`, (req, ...captures) =>
        req.response(200, JSON.stringify(captures)))
    )))))

  it.effect("searches any other url in the path, and passes its captures, undefined for those that took no part", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* text("/hash/0a"), "200 [\"0a\"]")
      assert.strictEqual(yield* text("/x/opt/d"), "200 [\"x\",null,\"d\"]")
      assert.strictEqual(yield* text("/x/opt-y/d"), "200 [\"x\",\"-y\",\"d\"]")
      assert.strictEqual(yield* text("/in/the/middle/of"), "200 []")
    }).pipe(Effect.provide(start(routes((domain) => {
      const captures: kore.Handler = (req, ...captures) => req.response(200, JSON.stringify(captures))
      domain.route("^/hash/([a-f0-9]{2})$", captures)
      domain.route("^/(x)/opt(-y)?/(d)$", captures)
      domain.route("middle", captures)
    })))))

  it.effect("sees the path as it was sent, also where it is not well encoded", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* text("/x/%zz"), "200 /x/%zz")
    }).pipe(Effect.provide(start(routes((domain) => {
      domain.route("^/x/", (req) => req.response(200, req.path))
    })))))

  it.effect("lets the route that was installed first answer", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* text("/a"), "200 expression")
      assert.strictEqual(yield* text("/b"), "200 literal")
    }).pipe(Effect.provide(start(routes((domain) => {
      domain.route("/b", (req) => req.response(200, "literal"))
      domain.route("^/[ab]$", (req) => req.response(200, "expression"))
      domain.route("/a", (req) => req.response(200, "literal"))
    })))))

  it.effect("answers all seven methods by default, and others with 405 and what is allowed", () =>
    Effect.gen(function*() {
      for (const method of ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"] as const) {
        assert.strictEqual((yield* ask("/all", { method })).status, 200, method)
      }
      assert.strictEqual((yield* ask("/get", { method: "HEAD" })).status, 200)
      const { headers, status } = yield* ask("/get", { method: "POST" })
      assert.deepStrictEqual([status, headers["allow"]], [405, "GET, HEAD, OPTIONS"])
      assert.strictEqual((yield* ask("/post", { method: "POST" })).status, 200)
    }).pipe(Effect.provide(start(routes((domain) => {
      domain.route("/all", handler)
      domain.route("/get", handler, { methods: ["Get"] })
      domain.route("/post", handler, { methods: ["post"] })
    })))))

  it.effect("may share a url between methods", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* text("/"), "200 get")
      assert.strictEqual((yield* ask("/", { method: "POST" })).text, "post")
    }).pipe(Effect.provide(start(routes((domain) => {
      domain.route("/", (req) => req.response(200, "get"), { methods: ["get"] })
      domain.route("/", (req) => req.response(200, "post"), { methods: ["post"] })
    })))))

  it("refuses the same url twice for a method, HEAD included with GET", () => {
    const domain = domainOf()
    domain.route("/", handler, { methods: ["get"] })
    assert.strictEqual(
      refused(() => domain.route("/", handler, { methods: ["post", "GET"] })),
      "the route \"/\" is declared twice for GET"
    )
    assert.match(refused(() => domain.route("/", handler, { methods: ["head"] })), /declared twice for HEAD/)
  })

  it("names the method it does not know, and wants a list of at least one", () => {
    const domain = domainOf() as any
    assert.match(refused(() => domain.route("/", handler, { methods: ["get", "gte"] })),
      /route "\/" has the method "gte", expected of GET/)
    assert.match(refused(() => domain.route("/", handler, { methods: "get" })), /has methods "get", expected a list/)
    assert.match(refused(() => domain.route("/", handler, { methods: [] })), /expected a list/)
  })

  it("names the route whose expression does not compile, or means something else in JavaScript", () => {
    const domain = domainOf()
    assert.match(refused(() => domain.route("^/(a$", handler)),
      /the route "\^\/\(a\$" cannot be used: .*Unterminated group/)
    assert.match(refused(() => domain.route("^/[[:digit:]]+$", handler)),
      /"\[:digit:\]" is a class of POSIX.*write \\d/)
    assert.match(refused(() => domain.route("^/a{,3}$", handler)), /write \{0,n\}/)
    assert.match(refused(() => domain.route("^/\\<a\\>$", handler)), /word boundary of GNU.*write \\b/)
  })

  it("names the literal that no path can be", () => {
    const domain = domainOf()
    assert.match(refused(() => domain.route("/a?b=c", handler)), /no path has "\?" in it: the query is no part of it/)
    assert.match(refused(() => domain.route("/grüße", handler)),
      /no path has "ü" in it: clients send %C3%BC, write that/)
  })

  it("checks auth and hooks when it is installed, and knows no other keywords", () => {
    const domain = domainOf() as any
    const call = (options: object) => refused(() => domain.route("/", handler, options))
    const auth = { type: "cookie", value: "session", verify: handler }
    assert.match(call({ auth: { ...auth, type: "request" } }), /has the type "request", expected "cookie" or "header"/)
    assert.match(call({ auth: { ...auth, value: "" } }), /has the value "", expected the name of a cookie/)
    assert.match(call({ auth: { ...auth, verify: undefined } }), /has undefined as verify, expected a function/)
    assert.match(call({ auth: { ...auth, redirects: "/" } }), /no keyword "redirects": did you mean "redirect"\?/)
    assert.match(call({ hooks: { on_free: 7 } }), /has 7 as its hook on_free, expected a function/)
    assert.match(call({ hooks: { on_header: handler } }), /no keyword "on_header": did you mean "on_headers"\?/)
    assert.match(call({ method: ["get"] }), /no keyword "method": did you mean "methods"\?/)
    assert.match(refused(() => domain.route("/")), /has undefined as its handler/)
  })

  it.effect("fails the start for the name of a method that is not there", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(toApp(routes((domain) => domain.route("/", "idnex"))))
      assert.match(error.message, /the route "\/" has the handler "idnex", but the app has no method of that name/)
    }))
})

describe("kore.route", () => {
  const handler = (name: string) => (req: kore.Request) => req.response(200, name)

  it.effect("installs on the only domain, or on the one that it names, also if that comes later", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* text("http://a.org/"), "200 a")
      assert.strictEqual(yield* text("http://b.org/"), "200 b")
    }).pipe(Effect.provide(start({
      configure() {
        kore.route("/", handler("a"), { domain: "a.org" })
        kore.server("main", { ip: "127.0.0.1", port: 0, tls: false })
        kore.domain("a.org", { attach: "main" })
        kore.domain("b.org", { attach: "main" })
        kore.route("/", handler("b"), { domain: "b.org" })
      }
    }))))

  it.effect("fails the start without a domain, or when it does not say which, or twice", () =>
    Effect.gen(function*() {
      const failure = (...hosts: ReadonlyArray<string>) =>
        Effect.gen(function*() {
          reset()
          const error = yield* Effect.flip(toApp({
            configure() {
              kore.server("main", { ip: "127.0.0.1", port: 0, tls: false })
              for (const host of hosts) kore.domain(host, { attach: "main" }).route("/", handler("first"))
              kore.route("/", handler("second"))
            }
          }))
          return error.message
        })
      assert.match(yield* failure(), /the route "\/" has no domain: declare one with kore.domain/)
      assert.match(yield* failure("a.org", "b.org"),
        /the route "\/" needs the keyword domain, with one of "a.org", "b.org"/)
      assert.match(yield* failure("a.org"), /the route "\/" is declared twice for GET/)
    }))
})

describe("an app", () => {
  it.effect("may declare everything at module level, without a class", () => {
    kore.server("main", { ip: "127.0.0.1", port: 0, tls: false })
    kore.domain("*", { attach: "main" })
    kore.route("/", (req) => req.response(200, "module"))
    return Effect.gen(function*() {
      const app = yield* toApp()
      assert.strictEqual(yield* Effect.provide(text("/"), Kore.test(app)), "200 module")
    })
  })

  it.effect("is one of a process", () =>
    Effect.gen(function*() {
      yield* toApp({})
      const error = yield* Effect.flip(toApp({}))
      assert.match(error.message, /this process has an app already/)
    }))

  it.effect("tells where in the program configure failed", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(toApp({ configure: () => kore.config.workers = 0 }))
      assert.instanceOf(error, HookError)
      assert.match(
        error.message,
        /^configure\(\) failed: kore.config.workers = 0: expected .* 1024 \(\S+Declare.test.ts:\d+:\d+\) \[KORE/
      )
      reset()
      const other = yield* Effect.flip(toApp({ configure: () => null!["x"] }))
      assert.match(other.message, /^configure\(\) failed: TypeError: Cannot read properties of null.*Declare.test.ts:/)
    }))

  it.effect("may have an async configure, or a generator", () =>
    Effect.gen(function*() {
      const server = () => kore.server("main", { ip: "127.0.0.1", port: 0, tls: false })
      const app = yield* toApp({
        async configure() {
          await kore.suspend(0)
          server()
        }
      })
      assert.hasAllKeys(app.servers, ["main"])
      reset()
      const other = yield* toApp({
        *configure() {
          yield kore.suspend(0)
          server()
        }
      })
      assert.hasAllKeys(other.servers, ["main"])
    }))

  it.effect("with a hook of a later capability is refused, not half run", () =>
    Effect.gen(function*() {
      const own = yield* Effect.flip(toApp({ seccomp: () => {} }))
      assert.match(own.message, /the hook seccomp belongs to .*not available in this version/)
      reset()
      const error = yield* Effect.flip(toApp({}, { module: { kore_seccomp_hook: () => {} } }))
      assert.match(error.message, /the hook kore_seccomp_hook belongs to the sandbox/)
      assert.isFalse(Cause.isCause(error))
    }))
})
