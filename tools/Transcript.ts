/**
 * Transcripts of a shell in a README, run again: what an example promises is what it does.
 *
 * When to reach for it: a test of an example whose README shows `curl` and its output.
 * What it is not: a shell. Each command runs on its own, in one empty directory for all of a README.
 *
 * A block of the language `console` has commands behind `$ ` and below each its output, both as a reader would see them.
 * `…` stands for any text within a line, a line of it alone for any lines. The address `http://127.0.0.1:8888` is
 * replaced by that of the app. A word behind `console` says that the block is only for one style: `console legacy`.
 */
import * as Effect from "effect/Effect"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"

/** A command and what it writes. */
export interface Step {
  readonly command: string
  readonly output: string
  /** The line of the file that the command is in, from 1. */
  readonly line: number
}

/** The address that a README writes. */
export const ADDRESS = "http://127.0.0.1:8888"

/** The steps of a README for a style: those of blocks without a style, and those of its own. */
export const parse = (text: string, style: string): ReadonlyArray<Step> => {
  const steps: Array<{ command: string; output: Array<string>; line: number }> = []
  let isOurs = false
  let inBlock = false
  for (const [index, line] of text.split("\n").entries()) {
    if (line.startsWith("```")) {
      inBlock = !inBlock
      const [language, only = style] = line.slice(3).trim().split(" ")
      isOurs = inBlock && language === "console" && only === style
    } else if (isOurs && line.startsWith("$ ")) steps.push({ command: line.slice(2), output: [], line: index + 1 })
    else if (isOurs) {
      const step = steps.at(-1)
      // A command goes on behind a backslash, as in a shell.
      if (step?.command.endsWith("\\") && step.output.length === 0) {
        step.command = `${step.command.slice(0, -1).trimEnd()} ${line.trim()}`
      } else step?.output.push(line)
    }
  }
  return steps.map(({ command, line, output }) => ({ command, line, output: output.join("\n") }))
}

const escape = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")

/** The pattern of an output. */
export const pattern = (output: string): RegExp => {
  const lines = output.trimEnd().split("\n").map((line) =>
    line === "…" ? "(?:.*\\n)*?.*" : escape(line.trimEnd()).replaceAll("…", ".*")
  )
  return new RegExp(`^${lines.join("\\n")}$`)
}

/** A shell's output as people see it: without carriage returns, blanks at the ends of lines, and lines at the end. */
const seen = (text: string): string => text.replaceAll("\r", "").replace(/[ \t]+$/gm, "").trimEnd()

/** Runs the steps against an app, and returns what differs, a message for each. */
export const differences = (
  steps: ReadonlyArray<Step>,
  url: string
): Effect.Effect<ReadonlyArray<string>> =>
  Effect.acquireUseRelease(
    Effect.sync(() => Fs.mkdtempSync(Path.join(Os.tmpdir(), "transcript-"))),
    (cwd) =>
      Effect.map(
        Effect.forEach(steps, (step) =>
          Effect.map(
            shell(step.command.replaceAll(ADDRESS, url), cwd),
            (output) => {
              const actual = seen(output.replaceAll(url, ADDRESS).replaceAll(new URL(url).host, new URL(ADDRESS).host))
              return pattern(step.output).test(actual)
                ? []
                : [`line ${step.line}: $ ${step.command}\nexpected:\n${step.output}\ngot:\n${actual}`]
            }
          )),
        (found) => found.flat()
      ),
    (cwd) => Effect.sync(() => Fs.rmSync(cwd, { recursive: true, force: true }))
  )

/** What a shell says of a command that is not there. */
const NOT_FOUND = 127

const shell = (command: string, cwd: string): Effect.Effect<string> =>
  Effect.callback((resume) => {
    const child = ChildProcess.execFile("sh", ["-c", command], { cwd, timeout: 20_000 }, (error, stdout, stderr) => {
      // Many a command that a README shows fails on purpose; one that is not there never does.
      resume(Effect.succeed(error?.code === NOT_FOUND ? stderr : stdout))
    })
    return Effect.sync(() => void child.kill())
  })
