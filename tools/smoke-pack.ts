/**
 * What a user gets: packs the packages, installs them with npm into an empty folder, and runs an app from there.
 *
 * `pnpm smoke` runs it after `pnpm build`. It finds what no test of the sources can: a file that is not published, an
 * import that only resolves in the workspace, a path that points into src.
 */
import { execFileSync, spawn } from "node:child_process"
import { once } from "node:events"
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { delimiter, dirname, join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { root } from "./tsgo.ts"

const app = `import * as Effect from "effect/Effect"
import { Domain, Kore, Response, Route, Server } from "kore-fx"

const app = Kore.app({
  config: { workers: 2 },
  servers: { main: Server.tcp({ host: "127.0.0.1", port: Number(process.env["PORT"]), tls: false }) },
  worker: Domain.layer("*", { attach: "main" }, [
    Route.get("/hello/:name", ({ path }) => Effect.succeed(Response.text(\`hello, \${path.name}\`)))
  ])
})

Effect.runFork(Kore.main(app))
`

const seconds = (since: number): string => `${((performance.now() - since) / 1000).toFixed(1)} s`

const step = async <A>(title: string, run: () => A | Promise<A>): Promise<A> => {
  const start = performance.now()
  const result = await run()
  console.log(`${title}: ${seconds(start)}`)
  return result
}

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, "127.0.0.1")
  await once(server, "listening")
  const { port } = server.address() as { readonly port: number }
  server.close()
  await once(server, "close")
  return port
}

// The Node that runs this is the one that the app runs on, whatever the machine has. npm stays the machine's own, with
// its settings.
const environment = { ...process.env, PATH: `${dirname(process.execPath)}${delimiter}${process.env["PATH"]}` }

/** Starts a command in the folder, asks the app, and stops it as a terminal would. Throws when any of this goes wrong. */
const serves = async (folder: string, command: string, ...args: ReadonlyArray<string>): Promise<void> => {
  const port = await freePort()
  const child = spawn(command, args, {
    cwd: folder,
    env: { ...environment, PORT: String(port) },
    stdio: ["ignore", "pipe", "pipe"],
    // npx does not pass signals on: the whole group gets them.
    detached: true
  })
  let output = ""
  child.stdout.on("data", (chunk) => output += chunk)
  child.stderr.on("data", (chunk) => output += chunk)
  const ended = once(child, "exit")
  try {
    const deadline = performance.now() + 30_000
    let body: string | undefined
    while (body === undefined) {
      if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`)
      if (performance.now() > deadline) throw new Error("it did not answer within 30 s")
      await sleep(100)
      body = await fetch(`http://127.0.0.1:${port}/hello/world`).then((response) => response.text()).catch(() =>
        undefined
      )
    }
    if (body !== "hello, world") throw new Error(`it answered ${JSON.stringify(body)}`)
    process.kill(-child.pid!, "SIGTERM")
    const [code, signal] = await Promise.race([ended, sleep(20_000, ["still running", undefined])])
    // npx itself dies of the signal; the app ends with 0.
    if (code !== 0 && !(command === "npx" && (signal === "SIGTERM" || code === 143))) {
      throw new Error(`after SIGTERM it ended with ${code ?? signal}`)
    }
  } catch (cause) {
    throw new Error(`${[command, ...args].join(" ")}: ${(cause as Error).message}\n${output}`, { cause })
  } finally {
    try {
      process.kill(-child.pid!, "SIGKILL")
    } catch {
      // Nobody is left, as it should be.
    }
  }
}

const folder = mkdtempSync(join(tmpdir(), "kore-fx-smoke-"))
try {
  const packs = join(folder, "packs")
  const user = join(folder, "app")
  mkdirSync(packs)
  mkdirSync(user)
  const packages = readdirSync(join(root, "packages")).filter((name) =>
    existsSync(join(root, "packages", name, "dist"))
  )

  await step(`packed ${packages.join(", ")}`, () => {
    for (const name of packages) {
      execFileSync("pnpm", ["pack", "--pack-destination", packs], { cwd: join(root, "packages", name), stdio: "pipe" })
    }
  })
  for (const pack of readdirSync(packs)) {
    const files = execFileSync("tar", ["-tf", join(packs, pack)], { encoding: "utf8" }).trim().split("\n")
    const strange = files.filter((path) => !/^package\/(package\.json|README\.md|LICENSE|(src|dist)\/)/.test(path))
    if (strange.length > 0) throw new Error(`${pack} holds ${strange.join(", ")}`)
    const manifest = execFileSync("tar", ["-xOf", join(packs, pack), "package/package.json"], { encoding: "utf8" })
    if (/workspace:|catalog:|\.\/src\//.test(manifest)) {
      throw new Error(`${pack} points into the workspace: ${manifest}`)
    }
  }

  await step("installed with npm", () => {
    writeFileSync(join(user, "package.json"), JSON.stringify({ name: "smoke", private: true, type: "module" }))
    writeFileSync(join(user, "app.ts"), app)
    const effect = /^ {2}effect: (\S+)$/m.exec(readFileSync(join(root, "pnpm-workspace.yaml"), "utf8"))![1]
    const tarballs = readdirSync(packs).map((name) => join(packs, name))
    execFileSync("npm", ["install", "--no-audit", "--no-fund", "--prefer-offline", `effect@${effect}`, ...tarballs], {
      cwd: user,
      stdio: "pipe",
      timeout: 120_000
    })
  })

  await step("node app.ts", () => serves(user, process.execPath, "app.ts"))
  await step("npx kore-fx run app.ts", () => serves(user, "npx", "kore-fx", "run", "app.ts"))
} finally {
  rmSync(folder, { recursive: true, force: true })
}
