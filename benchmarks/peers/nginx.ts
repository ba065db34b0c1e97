/** nginx as its manual sets it up for files, with one worker: what serving a file costs where the kernel sends it. */
import { spawn } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { directory } from "../scenarios/files.ts"

const folder = mkdtempSync(join(tmpdir(), "kore-fx-benchmark-nginx-"))
const file = join(folder, "nginx.conf")

// One process, so that the child of this one is the one that serves. The limit of a connection's requests is lifted.
writeFileSync(file, `
daemon off;
master_process off;
pid ${folder}/pid;
error_log stderr warn;
events { worker_connections 256; }
http {
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 1000000000;
  types { text/plain txt; }
  charset utf-8;
  client_body_temp_path ${folder};
  proxy_temp_path ${folder};
  fastcgi_temp_path ${folder};
  uwsgi_temp_path ${folder};
  scgi_temp_path ${folder};
  server {
    listen 127.0.0.1:${process.env["PORT"]};
    location /files/ { alias ${directory}/; }
  }
}
`)

const nginx = spawn("nginx", ["-c", file, "-p", folder], { stdio: ["ignore", "inherit", "inherit"] })
process.on("SIGTERM", () => nginx.kill("SIGTERM"))
nginx.on("exit", (code) => {
  rmSync(folder, { recursive: true, force: true })
  process.exitCode = code ?? 1
})
