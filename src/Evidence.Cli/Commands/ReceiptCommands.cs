using System.CommandLine;
using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Ledger;
using Evidence.Replication;
using Evidence.Vaults;
using Evidence.Verification;

namespace Evidence.Cli.Commands;

/// <summary>What follows a replication: its recipient's receipt, and what comes of it.</summary>
internal static class ReceiptCommands
{
    private static readonly Option<string> Output = new("--output") { Description = "The receipt to carry back. A file that is there is not overwritten.", HelpName = "FILE", Required = true };

    private static readonly Option<string?> Into = new("--into") { Description = "Record the receipt in the ledger of this vault of your own, too.", HelpName = "VAULT" };

    private static readonly Option<string?> Fork = new("--fork")
    {
        Description = "Where to write the proof, should the log have another history than you saw before. Without it: the receipt's name and '.fork'.",
        HelpName = "FILE",
    };

    private static readonly Option<string[]> Keys = new("--key")
    {
        Description = "A public key of the log, as its keeper published it ('evidence identity list'). May be given several times. Without any: those that are pinned on this machine.",
        HelpName = "VKEY",
    };

    private static readonly Option<bool> Digests = new("--digests") { Description = "Also compute the digests of whole images anew." };

    private static readonly Argument<string> File = new("FILE") { Description = "The file." };

    internal static Command Receive()
    {
        var command = new Command(
            "receive",
            """
            For whoever was sent a replica, on their own machine and with their own key: verifies everything from the medium, holds the ledger against what was seen of it
            here before, and only then signs a receipt. Damaged content does not keep it from being signed: it says so. A ledger that was set back is refused; one with
            another history, too, and the proof of that is written.

            Examples:
              evidence replicate receive --vault /mnt/disk/evidence.vault --key 'lab.example/1+0b1c2d3e+AY…' --key 'lab.example/1+4f5a6b7c+Aj…' --output lab.receipt
              evidence replicate receive --vault /mnt/disk/evidence.vault --into ~/own.vault --output lab-2.receipt
            """)
        {
            Output, Into, Fork, Keys, Digests,
        };
        Session.Bind(command, async (session, parsed, cancellation) =>
        {
            using Vault? own = parsed.GetValue(Into) is { } into ? Vault.Open(into, session.Access) : null;
            var options = new ReceiveOptions
            {
                Output = parsed.GetValue(Output)!,
                ForkProof = parsed.GetValue(Fork),
                Into = own,
                Keys = ParseKeys(parsed),
                Digests = parsed.GetValue(Digests),
            };
            ReceivedReplica received;
            await using (var display = new ProgressDisplay(session.IsQuiet))
            {
                ProgressDisplay.Job job = display.Add(session.VaultFolder);
                received = await new ReplicaReceiver(session.VaultFolder, session.Access).ReceiveAsync(
                    options, new DirectProgress<VerificationProgress>(p => job.Report("verifying", p.Done, p.Total)), cancellation);
            }

            session.Answer(() => ToJson(received, options, own is not null), text => Print(text, received, options, session.VaultFolder, own));
            return ExitCode.Of(ReplicaReceiver.Held(received.Report));
        });
        return command;
    }

    internal static Command Accept()
    {
        var command = new Command(
            "accept",
            """
            Takes a recipient's receipt into this vault's ledger: only one that is for this log and its own history, with a right signature. Anything else is refused, with
            its reason.

            Example:
              evidence replicate accept lab.receipt
            """)
        {
            File,
        };
        Session.Bind(command, (session, parsed, _) =>
        {
            using Vault vault = session.OpenVault();
            AcceptedReceipt accepted = ReceiptAcceptance.Accept(vault, parsed.GetValue(File)!);
            session.Answer(
                () => new JsonObject
                {
                    ["entry"] = Number(accepted.Entry),
                    ["signer"] = accepted.Signer.Name,
                    ["key"] = accepted.Signer.KeyId,
                    ["receipt"] = ToJson(accepted.Receipt),
                    ["lost"] = new JsonArray([.. accepted.Lost.Select(i => (JsonNode)$"sha256:{i}")]),
                },
                text =>
                {
                    text.WriteLine(accepted.Entry is { } entry ? $"Recorded as ledger entry {entry}." : "It waits in staging, for the holder of the log key.");
                    Print(text, accepted.Receipt);
                    text.WriteLine($"  signed by the key {accepted.Signer.KeyId}, of {accepted.Signer.Name} by their own word");
                    foreach (Hashing.Sha256Digest image in accepted.Lost)
                        text.WriteLine($"  LOST: sha256:{image.ToString()[..16]} was sent to this replica, and is not in order there: 'evidence replicate --to DIR --resend'");
                });
            return Task.FromResult(accepted.Lost.Count == 0 ? ExitCode.Done : ExitCode.Refuted);
        });
        return command;
    }

    private static List<VerifierKey> ParseKeys(ParseResult parsed)
    {
        try
        {
            return [.. (parsed.GetValue(Keys) ?? []).Select(VerifierKey.ParseLogKey)];
        }
        catch (FormatException e)
        {
            throw new EvidenceException(ErrorCode.Usage, e.Message, e);
        }
    }

    private static JsonObject ToJson(ReceivedReplica received, ReceiveOptions options, bool isRecorded) => new()
    {
        ["receipt"] = ToJson(received.Receipt),
        ["file"] = options.Output,
        ["recorded"] = isRecorded,
        ["entry"] = Number(received.Entry),
    };

    private static JsonObject ToJson(Receipt receipt) => new()
    {
        ["origin"] = receipt.Origin,
        ["size"] = DecimalText.Format(receipt.Size),
        ["root"] = receipt.Root.ToString(),
        ["replica"] = receipt.Replica,
        ["content"] = receipt.Content,
        ["images"] = new JsonArray([.. receipt.Images.Select(i => new JsonObject { ["image"] = $"sha256:{i.Image}", ["content"] = i.Content })]),
        ["others"] = receipt.Others,
        ["imageCount"] = DecimalText.Format(receipt.ImageCount),
        ["bytes"] = DecimalText.Format(receipt.Bytes),
        ["verified"] = Timestamps.Format(receipt.Ended),
        ["keys"] = receipt.KeysPinned ? "pinned" : "declared",
        ["medium"] = receipt.Medium.DeepClone(),
        ["damaged"] = new JsonArray([.. receipt.Damaged.Select(d => (JsonNode)d)]),
        ["damagedCount"] = DecimalText.Format(receipt.DamagedCount),
    };

    private static void Print(TextWriter text, ReceivedReplica received, ReceiveOptions options, string folder, Vault? own)
    {
        text.WriteLine($"{received.Receipt.Content.ToUpperInvariant()}  {folder}");
        Print(text, received.Receipt);
        foreach (Finding finding in received.Report.Findings.Concat(received.Report.Images.SelectMany(i => i.Findings)).Where(f => f.Verdict == ContentVerdict.Refuted))
            text.WriteLine($"  refuted: {(finding.File is null ? "" : finding.File + ": ")}{finding.Detail}");
        text.WriteLine(received.Receipt.KeysPinned
            ? "  signed by the log keys that this machine knew"
            : "  the log's keys were not known here: those that the replica declares are pinned from now on. Compare them with what its keeper published ('evidence identity list')");
        if (own is not null)
            text.WriteLine(received.Entry is { } entry ? $"  recorded as entry {entry} of the ledger of {own.Folder}" : $"  signed; the entry waits in staging of {own.Folder}");
        text.WriteLine($"  carry {options.Output} to the sender, who takes it in with 'evidence replicate accept'");
    }

    private static void Print(TextWriter text, Receipt receipt)
    {
        text.WriteLine($"  replica {receipt.Replica ?? "(a copy that names none)"} of {receipt.Origin}, ledger up to {Units.Count(receipt.Size)} entries, root {receipt.Root}");
        text.WriteLine($"  {Units.Count(receipt.ImageCount)} images in the ledger; {Units.Exact(receipt.Bytes)} read from the medium: {receipt.Content}");
        foreach (ReceiptImage image in receipt.Images)
            text.WriteLine($"    {image.Content,-12} sha256:{image.Image.ToString()[..16]}");
        if (receipt.ImageCount > receipt.Images.Count)
            text.WriteLine($"    {receipt.Others ?? "not listed",-12} all others");
        foreach (string file in receipt.Damaged)
            text.WriteLine($"  damaged: {file}");
    }

    private static string? Number(long? entry) => entry is { } index ? DecimalText.Format(index) : null;
}
