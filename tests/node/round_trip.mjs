// What a program in another language does with KMS: its SDK signs, sends, parses and raises.
import {
  CreateKeyCommand, DecryptCommand, DescribeKeyCommand, EncryptCommand, GenerateDataKeyCommand, KMSClient,
  NotFoundException, SignCommand, paginateListKeys,
} from "@aws-sdk/client-kms";
import assert from "node:assert/strict";

const client = new KMSClient({});
const { KeyMetadata: key } = await client.send(new CreateKeyCommand({ Description: "from node" }));
assert.equal(key.KeyState, "Enabled");
assert.ok(Math.abs(key.CreationDate - new Date()) < 60_000);

const context = { purpose: "test" };
const { CiphertextBlob } = await client.send(
  new EncryptCommand({ KeyId: key.KeyId, Plaintext: Buffer.from("secret"), EncryptionContext: context }));
const { Plaintext } = await client.send(new DecryptCommand({ CiphertextBlob, EncryptionContext: context }));
assert.equal(Buffer.from(Plaintext).toString(), "secret");
const dataKey = await client.send(new GenerateDataKeyCommand({ KeyId: key.KeyId, KeySpec: "AES_256" }));
assert.equal(dataKey.Plaintext.length, 32);

await assert.rejects(client.send(new DecryptCommand({ CiphertextBlob })), { name: "InvalidCiphertextException" });
await assert.rejects(client.send(new DescribeKeyCommand({ KeyId: "nobody" })), (error) => {
  assert.ok(error instanceof NotFoundException);
  assert.equal(error.message, "Invalid keyId 'nobody'");
  return error.$metadata.httpStatusCode === 400;
});
await assert.rejects(
  client.send(new SignCommand({ KeyId: key.KeyId, Message: Buffer.from("m"), SigningAlgorithm: "ECDSA_SHA_256" })),
  { name: "InvalidKeyUsageException" });

const ids = [];
for await (const page of paginateListKeys({ client }, {})) ids.push(...page.Keys.map((entry) => entry.KeyId));
console.log(JSON.stringify({ made: key.KeyId, ids }));
