// Unpacks the Chromium that @sparticuz/chromium carries into a folder, run where node_modules is: node unpack_chromium.mjs FOLDER
import { createReadStream, createWriteStream, chmodSync, mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createBrotliDecompress } from "node:zlib";

const folder = process.argv[2];
const here = createRequire(join(process.cwd(), "package.json"));
const { extract } = here("tar-fs");
const packed = join(process.cwd(), "node_modules", "@sparticuz", "chromium", "bin");

mkdirSync(folder, { recursive: true });
const unpack = (name, target) =>
  pipeline(createReadStream(join(packed, name)), createBrotliDecompress(), target);

// chromium: the browser; al2023: the libraries it links; swiftshader: drawing without a graphics card; fonts.
await Promise.all([
  unpack("chromium.br", createWriteStream(join(folder, "chromium"))),
  unpack("al2023.tar.br", extract(folder)),
  unpack("swiftshader.tar.br", extract(folder)),
  unpack("fonts.tar.br", extract(folder)),
]);
chmodSync(join(folder, "chromium"), 0o755);
