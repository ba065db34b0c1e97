/**
 * Results as files of JSON, named by date.
 *
 * When to reach for it: every run stores what it measured; quick ones under names that git ignores.
 * What it is not: a database. The last run of a day replaces the one before it.
 */
import { mkdirSync, writeFileSync } from "node:fs"
import { relative } from "node:path"
import { fileURLToPath } from "node:url"

const folder = fileURLToPath(new URL("../results/", import.meta.url))

/** The date of today as `2026-11-24`. */
const today = (): string => new Date().toISOString().slice(0, 10)

/** Stores a result; returns its path. */
export const store = (name: string, isQuick: boolean, result: unknown): string => {
  mkdirSync(folder, { recursive: true })
  const file = `${folder}${today()}-${name}${isQuick ? "-quick" : ""}.json`
  writeFileSync(file, `${JSON.stringify(result, rounded, 2)}\n`)
  return relative(process.cwd(), file)
}

// Nothing here is known to more than six digits.
const rounded = (_key: string, value: unknown): unknown =>
  typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(6)) : value
