import { defineConfig } from "vitest/config"

/** Tests that start the command, over and over: most of their time is spent booting. */
const commands = ["packages/cli/test/**/*.test.ts", "packages/kore-fx/test/legacy/**/*.test.ts"]

/** Tests that start parents and workers and measure what these do in time: one file after the other. */
const processes = ["packages/core/test/process/**/*.test.ts", "examples/**/*.test.ts"]

const project = (
  name: string,
  groupOrder: number,
  test: { include: Array<string>; exclude?: Array<string>; maxWorkers?: number }
) => ({
  extends: true as const,
  test: { name, sequence: { groupOrder }, ...test, exclude: ["**/node_modules/**", ...test.exclude ?? []] }
})

export default defineConfig({
  test: {
    testTimeout: 30_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    // A test that runs away ends itself before it ends the machine.
    execArgv: ["--max-old-space-size=2048"],
    reporters: process.env["CI"] === undefined
      ? ["default"]
      : ["default", ["json", { outputFile: ".ci/result.json" }]],
    // One group after the other.
    projects: [
      project("modules", 1, {
        include: ["packages/*/test/**/*.test.ts", "tools/test/**/*.test.ts"],
        exclude: [...commands, ...processes]
      }),
      project("commands", 2, { include: commands }),
      project("processes", 3, { include: processes, maxWorkers: 1 })
    ]
  }
})
