// Sigstore's JavaScript implementation as a program, for sigstore_test.go.
//
//   verify ROOT BUNDLE SAN ISSUER      by certificate
//   verify-key PUBLIC.pem BUNDLE       by key
//   sign STATEMENT TOKEN FULCIO REKOR TSA
//   sign-blob FILE TOKEN FULCIO REKOR TSA
import { createPublicKey } from "node:crypto";
import { readFileSync } from "node:fs";
import { bundleFromJSON, bundleToJSON } from "@sigstore/bundle";
import { PublicKeyDetails, TrustedRoot } from "@sigstore/protobuf-specs";
import { DSSEBundleBuilder, FulcioSigner, MessageSignatureBundleBuilder, RekorWitness, TSAWitness } from "@sigstore/sign";
import { Verifier, toSignedEntity, toTrustMaterial } from "@sigstore/verify";

const [command, ...args] = process.argv.slice(2);
const json = (file) => JSON.parse(readFileSync(file, "utf8"));

function verify(root, file, san, issuer) {
  const material = toTrustMaterial(TrustedRoot.fromJSON(json(root)));
  const entity = toSignedEntity(bundleFromJSON(json(file)));
  const verifier = new Verifier(material, { tlogThreshold: 1, ctlogThreshold: 1, timestampThreshold: 1 });
  const signer = verifier.verify(entity, { subjectAlternativeName: san, extensions: { issuer } });
  console.log(signer.identity.subjectAlternativeName);
}

function verifyKey(pem, file) {
  const der = createPublicKey(readFileSync(pem)).export({ type: "spki", format: "der" });
  const key = { rawBytes: der, keyDetails: PublicKeyDetails.PKIX_ECDSA_P256_SHA_256 };
  const nothing = TrustedRoot.fromJSON({ mediaType: "application/vnd.dev.sigstore.trustedroot+json;version=0.1" });
  const material = toTrustMaterial(nothing, () => ({ publicKey: createPublicKey(readFileSync(pem)), validFor: () => true, ...key }));
  const verifier = new Verifier(material, { tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: 0 });
  verifier.verify(toSignedEntity(bundleFromJSON(json(file))));
  console.log("key");
}

async function sign(kind, file, token, fulcio, rekor, tsa) {
  const options = {
    signer: new FulcioSigner({ fulcioBaseURL: fulcio, identityProvider: { getToken: async () => readFileSync(token, "utf8").trim() } }),
    witnesses: [
      new RekorWitness({ rekorBaseURL: rekor, entryType: kind === "sign" ? "dsse" : "hashedrekord" }),
      new TSAWitness({ tsaBaseURL: tsa }),
    ],
  };
  const builder = kind === "sign" ? new DSSEBundleBuilder(options) : new MessageSignatureBundleBuilder(options);
  const artifact = { data: readFileSync(file) };
  if (kind === "sign") artifact.type = "application/vnd.in-toto+json";
  console.log(JSON.stringify(bundleToJSON(await builder.create(artifact))));
}

switch (command) {
  case "verify": verify(...args); break;
  case "verify-key": verifyKey(...args); break;
  case "sign": case "sign-blob": await sign(command, ...args); break;
  default: throw new Error(`unknown command ${command}`);
}
