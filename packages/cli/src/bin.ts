#!/usr/bin/env node
/**
 * The `kore-fx` executable: checks the version of Node.js, then runs the command line, or what a worker needs of it.
 *
 * This file is read by versions of Node.js that are too old for all others, so it imports them only after the check,
 * and its own syntax is plain.
 */
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number)

if (major < 26 || (major === 26 && minor < 10)) {
  process.stderr.write(
    "kore-fx cannot run on Node.js " + process.versions.node + ".\n" +
      "Expected: Node.js 26.10 or newer.\n" +
      "What to do: Install it from https://nodejs.org, or for this project alone: " +
      "npm install --save-dev node@26 [KORE_CLI_NODE]\n"
  )
  process.exitCode = 2
} else if (process.env["KORE_FX_WORKER"] !== undefined) {
  // The parent's marker is only looked at: the app's own copy of the library takes it.
  const Effect = await import("effect/Effect")
  const { boot } = await import("./internal/boot.ts")
  Effect.runFork(boot)
} else {
  const NodeRuntime = await import("@effect/platform-node/NodeRuntime")
  const { main, teardown } = await import("./Main.ts")
  NodeRuntime.runMain(main(process.argv.slice(2)), { disableErrorReporting: true, teardown })
}

export {}
