using Evidence.Acquisition;
using Evidence.Formats;
using Evidence.Sources;
using Evidence.Vaults;
using Evidence.Verification;

string disk = args[0];    // a block device, an image file, any part of a split image
string folder = args[1];  // the vault
string copy = args[2];    // a file that does not exist yet

// Image a source. When this returns, everything is durable, read back from the medium, and signed into the ledger.
using Vault vault = Vault.OpenOrCreate(folder);
using Source source = Source.Open(disk);
AcquisitionResult image = await new Acquirer(vault).AcquireAsync(
    source, new AcquisitionOptions { Item = "storage-7", Case = "2026-117", Examiner = "A. Turing" });
Console.WriteLine($"{image.Item}: {image.Manifest.Size} bytes, map root {image.Manifest.Root}, ledger entry {image.Entry}");

// Verify the vault from its files alone: no key, no lock, no cache.
VerificationReport report = await VaultVerifier.VerifyAsync(folder);
Console.WriteLine($"content {report.Content}, anchor {report.Anchor}");

// Give it back, bit for bit.
RawExportResult export = await RawExport.WriteAsync(vault.OpenImage(image.Image), copy);
Console.WriteLine($"exported {export.Length} bytes, SHA-256 {export.Sha256}, as imaged: {export.Matches}");
