/** What the tests of files share: trees of files, and a server for routes that is asked in raw bytes. */
import { vi } from "@effect/vitest"
import * as Config from "@kore-fx/core/Config"
import * as Tracer from "@kore-fx/core/Tracer"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as Net from "node:net"
import * as os from "node:os"
import * as nodePath from "node:path"
import type * as Route from "../../src/Route.ts"
import * as Server from "../../src/Server.ts"
import * as Transport from "../../src/transport/Transport.ts"
import { Client, type Message, settings } from "../transport/harness.ts"

/** A directory with files by their paths, which is removed with the scope. Its own path is a real one. */
export const tree = (files: Readonly<Record<string, string | Uint8Array>> = {}) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const root = fs.realpathSync(fs.mkdtempSync(nodePath.join(os.tmpdir(), "kore-fx-files-")))
      for (const [name, content] of Object.entries(files)) write(nodePath.join(root, name), content)
      return root
    }),
    (root) => Effect.sync(() => fs.rmSync(root, { recursive: true, force: true }))
  )

/** Writes a file and the directories that it is in. */
export const write = (path: string, content: string | Uint8Array): void => {
  fs.mkdirSync(nodePath.dirname(path), { recursive: true })
  fs.writeFileSync(path, content)
}

/** Makes FIFOs, for which Node has no function. */
export const fifos = (...paths: ReadonlyArray<string>): void => {
  execFileSync("/bin/sh", ["-c", "mkfifo \"$@\"", "sh", ...paths])
}

/** Lets all files be at rest for an hour: a `ctime` cannot be set, so it is now that is later. */
export const later = Effect.acquireRelease(
  Effect.sync(() => {
    const now = Date.now.bind(Date)
    return vi.spyOn(Date, "now").mockImplementation(() => now() + 3_600_000)
  }),
  (spy) => Effect.sync(() => spy.mockRestore())
)

/** What a request has besides its path. */
export interface Asked {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** A server for routes, with what was reported, and a client that sends paths as they are. */
export const serve = Effect.fnUntraced(function*(
  routes: ReadonlyArray<Route.Route<any, any>>,
  config: Partial<Config.Config> = {},
  context: Context.Context<never> = Context.empty()
) {
  const reported: Array<string> = []
  const tracer = yield* Tracer.make((cause) => Effect.sync(() => void reported.push(String(Cause.squash(cause)))))
  const domain = {
    host: "*",
    attach: "main",
    middleware: [],
    routes,
    context: Context.add(context, Config.Current, { ...Config.defaults, ...config }) as Context.Context<never>
  }
  const handler = yield* Effect.provideService(Server.handler([domain]), Tracer.Tracer, tracer)
  const server = yield* Transport.listen({ host: "127.0.0.1", port: 0 }, settings, handler)
  const { port } = server.address as Net.AddressInfo
  const connect = Effect.acquireRelease(
    Effect.callback<Client>((resume) => {
      const client = new Client(Net.connect({ host: "127.0.0.1", port, noDelay: true }))
      client.socket.once("connect", () => resume(Effect.succeed(client)))
    }),
    (client) => Effect.sync(() => client.socket.destroy())
  )
  const client = yield* connect
  const ask = Effect.fnUntraced(
    function*(path: string, { headers = {}, method = "GET" }: Asked = {}): Effect.fn.Return<Message> {
      client.received = ""
      client.send(request(path, { headers, method }))
      const [message] = yield* client.responses(1, [method])
      return message!
    }
  )
  return { ask, connect, reported, idle: handler.idle! }
})

/** A request as it is sent. */
export const request = (path: string, { headers = {}, method = "GET" }: Asked = {}): string =>
  `${method} ${path} HTTP/1.1\r\nhost: a.test\r\n${
    Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join("")
  }\r\n`

/** How many descriptors of this process lead to a file. */
export const openCount = (path: string): number =>
  fs.readdirSync("/proc/self/fd").filter((fd) => {
    try {
      return fs.readlinkSync(`/proc/self/fd/${fd}`).replace(" (deleted)", "") === path
    } catch {
      return false
    }
  }).length
