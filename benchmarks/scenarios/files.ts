/**
 * The files of the `static` scenarios: written once to a directory of their own, the same bytes on every machine.
 *
 * When to reach for it: peers that serve files serve `directory`; nobody changes it while it is measured.
 * What it is not: part of the repository. A mebibyte of letters is made faster than it is checked out.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const line = "the quick brown fox jumps over the lazy dog, and nobody in the office looks up from a screen\n"

const textOf = (size: number): string => line.repeat(Math.ceil(size / line.length)).slice(0, size)

/** The text of each file. */
export const files = { "small.txt": textOf(1024), "large.txt": textOf(1_048_576) }

/** Where they are. */
export const directory: string = join(tmpdir(), "kore-fx-benchmark-files")

/** Writes those that are missing or different. */
export const write = (): void => {
  mkdirSync(directory, { recursive: true })
  for (const [name, text] of Object.entries(files)) {
    const path = join(directory, name)
    if (!existsSync(path) || readFileSync(path, "latin1") !== text) writeFileSync(path, text, "latin1")
  }
}
