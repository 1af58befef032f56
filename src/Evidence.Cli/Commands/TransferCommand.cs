using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Hashing;
using Evidence.Ledger;
using Evidence.Preservation;
using Evidence.Vaults;
using Evidence.Verification;
using NodaTime;

namespace Evidence.Cli.Commands;

internal static class TransferCommand
{
    private static readonly Option<string[]> Items = new("--item") { Description = "What is offered: an imaged item, or a thing by its name. May be given several times.", HelpName = "ID", Required = true };

    private static readonly Option<string> To = new("--to") { Description = "The other party.", HelpName = "NAME", Required = true };

    private static readonly Option<string?> ToKey = new("--to-key")
    {
        Description = "The key that the answer must be signed with: its id, as 'evidence identity show' tells the other party. Without it anybody's answer counts as theirs.",
        HelpName = "KEY",
    };

    private static readonly Option<string[]> Seals = new("--seal") { Description = "A seal on it, by its number. May be given several times.", HelpName = "ID" };

    private static readonly Option<string[]> Containers = new("--container") { Description = "What it is handed over in: a disk, a box, a bag, by its mark. May be given several times.", HelpName = "ID" };

    private static readonly Option<string?> Terms = new("--terms") { Description = "Why, or under what terms.", HelpName = "TEXT" };

    private static readonly Option<string?> AnswerBy = new("--answer-by") { Description = "By when an answer is asked for: 2026-03-01T00:00:00Z.", HelpName = "INSTANT" };

    private static readonly Option<bool> NoVerify = new("--no-verify") { Description = "Do not verify the images for this handover. The offer says so." };

    private static readonly Option<string?> Output = new("--output") { Description = "The file to carry to the other party. One that is there is not overwritten.", HelpName = "FILE" };

    private static readonly Option<string> AnswerOutput = new("--output") { Description = "The file to carry back. One that is there is not overwritten.", HelpName = "FILE", Required = true };

    private static readonly Option<string?> Found = new("--found") { Description = "In what state things were found: seals, containers, damage.", HelpName = "TEXT" };

    private static readonly Option<string> Reason = new("--reason") { Description = "Why.", HelpName = "TEXT", Required = true };

    private static readonly Option<string?> Why = new("--reason") { Description = "Why.", HelpName = "TEXT" };

    private static readonly Option<string?> Against = new("--verify-in")
    {
        Description = "Verify the offered images in this vault first, from the medium; the answer says what came of it.",
        HelpName = "VAULT",
    };

    private static readonly Option<string?> Into = new("--into") { Description = "Put the offer and the answer into the ledger of this vault of your own, too.", HelpName = "VAULT" };

    private static readonly Argument<string> OfferFile = new("OFFER") { Description = "The file that the other party made." };

    private static readonly Argument<string> AnswerFile = new("ANSWER") { Description = "The file that came back." };

    private static readonly Argument<long> Entry = new("ENTRY") { Description = "The offer's entry in the ledger.", CustomParser = Options.Entry };

    private static readonly Option<string?> ListItem = new("--item") { Description = "Only offers of this item.", HelpName = "ID" };

    internal static Command Build() => new(
        "transfer",
        """
        Hands items over to another party. The offer is an entry of this vault's ledger, carried in a file; the other party answers with a key and on a machine of
        their own, and the answer is carried back and taken in. An offer that nobody answered stays visible as that.

        Examples:
          evidence transfer offer --item server-7 --to "Prosecutor's office" --seal 0042 --container "disk WX3" --output offer.transfer
          evidence transfer accept offer.transfer --found "seal 0042 whole" --verify-in /mnt/disk/evidence.vault --output answer.transfer
          evidence transfer refuse offer.transfer --reason "The seal is broken" --output answer.transfer
          evidence transfer take answer.transfer
          evidence transfer list
          evidence transfer chain server-7
        """)
    {
        Offer(),
        Write(),
        Show(),
        Answer("accept", "Accepts an offer: signs the answer with a key of your own. Needs no vault.", accept: true),
        Answer("refuse", "Refuses an offer: signs the answer with a key of your own. Needs no vault.", accept: false),
        Take(),
        Withdraw(),
        List(),
        Chain(),
    };

    private static Command Offer()
    {
        var command = new Command("offer", "Offers items, after verifying their images from the medium; records the offer, and writes the file to carry.")
        {
            Items, Options.Case, To, ToKey, Seals, Containers, Terms, AnswerBy, NoVerify, Output,
        };
        Session.Bind(command, async (session, parsed, cancellation) =>
        {
            string[] items = parsed.GetValue(Items)!;
            string? path = parsed.GetValue(Output);
            if (path is not null && File.Exists(path))
                throw new EvidenceException(ErrorCode.DestinationInvalid, $"There is a file {path} already; name another.");
            using Vault vault = session.OpenVault();
            IReadOnlyList<ImageRecord> images = Handover.ImagesOf(vault, items);
            IReadOnlyList<TransferredImage> offered = parsed.GetValue(NoVerify)
                ? [.. images.Select(image => new TransferredImage(image.Image, image.Root, image.Size, null))]
                : await VerifyAsync(session, session.VaultFolder, images.Select(image => (image.Image, image.Root, image.Size)), vault, cancellation);
            if (offered.FirstOrDefault(image => image.Verified == "refuted") is { } refuted)
            {
                throw new EvidenceException(
                    ErrorCode.ContentRefuted,
                    $"The image sha256:{refuted.Image} is not what was recorded, so nothing was offered. 'evidence verify' says where; 'evidence repair' brings it back; --no-verify offers it unverified, and says so.");
            }

            long? entry = Handover.Offer(vault, items, parsed.GetValue(Options.Case), new TransferOffer(vault.Settings.Origin, parsed.GetValue(To)!, parsed.GetValue(ToKey))
            {
                Images = offered,
                Seals = parsed.GetValue(Seals) ?? [],
                Containers = parsed.GetValue(Containers) ?? [],
                Terms = parsed.GetValue(Terms),
                AnswerBy = parsed.GetValue(AnswerBy) is { } instant ? Units.ParseInstant(instant) : null,
            });
            if (entry is { } index && path is not null)
                Handover.WriteOffer(vault.Ledger.Open(), index, path);
            session.Answer(
                () => new JsonObject
                {
                    ["entry"] = Number(entry),
                    ["images"] = new JsonArray([.. offered.Select(ToJson)]),
                    ["file"] = entry is null ? null : path,
                },
                text =>
                {
                    foreach (TransferredImage image in offered)
                        text.WriteLine($"  sha256:{image.Image.ToString()[..16]}  {image.Verified ?? "not verified for this handover"}");
                    text.WriteLine(entry is null
                        ? "Signed; it waits in staging, and what the holder of the log key records next takes it in. After that, 'evidence transfer write ENTRY' makes the file to carry."
                        : $"Recorded as ledger entry {entry}. {(path is null ? $"'evidence transfer write {entry}' makes the file to carry." : $"Carry {path} to {parsed.GetValue(To)}.")}");
                    if (parsed.GetValue(ToKey) is null)
                        text.WriteLine("No key was named: the ledger will show who signed the answer, and not that it was the one you mean.");
                });
            return ExitCode.Done;
        });
        return command;
    }

    private static Command Write()
    {
        var output = new Option<string>("--output") { Description = Output.Description, HelpName = "FILE", Required = true };
        var command = new Command("write", "Writes the file to carry for an offer that is in the ledger.") { Entry, output };
        Session.Bind(command, (session, parsed, _) =>
        {
            using Vault vault = session.OpenVault();
            string path = parsed.GetValue(output)!;
            Handover.WriteOffer(vault.Ledger.Open(), parsed.GetValue(Entry), path);
            session.Answer(() => new JsonObject { ["entry"] = Number(parsed.GetValue(Entry)), ["file"] = path }, text => text.WriteLine($"Written: {path}"));
            return Task.FromResult(ExitCode.Done);
        });
        return command;
    }

    private static Command Show()
    {
        var file = new Argument<string>("FILE") { Description = "An offer or an answer." };
        var command = new Command("show", "Shows what a carried file says, and checks its signatures. Needs no vault.") { file };
        Session.Bind(command, (session, parsed, _) =>
        {
            var carried = CarriedTransfer.Read(parsed.GetValue(file)!);
            session.Answer(() => ToJson(carried), text => Print(text, carried));
            return Task.FromResult(ExitCode.Done);
        });
        return command;
    }

    private static Command Answer(string verb, string description, bool accept)
    {
        var command = new Command(verb, description) { OfferFile, accept ? (Option)Found : Reason, Against, Into, AnswerOutput };
        Session.Bind(command, async (session, parsed, cancellation) =>
        {
            var offer = CarriedTransfer.Read(parsed.GetValue(OfferFile)!);
            var made = offer.Body as TransferOffer;
            string path = parsed.GetValue(AnswerOutput)!;
            IReadOnlyList<TransferredImage> verified = [];
            if (parsed.GetValue(Against) is { } folder && made is not null)
            {
                using Vault vault = Vault.Open(folder, session.Access with { Keys = null });
                verified = await VerifyAsync(session, folder, made.Images.Select(image => (image.Image, image.Root, image.Size)), vault, cancellation);
                if (accept && verified.FirstOrDefault(image => image.Verified is not ("verified" or "incomplete")) is { } bad)
                {
                    throw new EvidenceException(
                        ErrorCode.ContentRefuted,
                        $"The image sha256:{bad.Image} is {bad.Verified} in {folder}, so nothing was accepted. Refuse the offer with --verify-in, or accept it without, saying by --found what is wrong.");
                }
            }

            string? text = accept ? parsed.GetValue(Found) : parsed.GetValue(Reason);
            IReadOnlyList<LedgerEntry> answer = Handover.Answer(session.Access.Keys!, session.Access.Actor, session.Access.Clock, offer, accept, text, verified);
            Handover.WriteAnswer(path, answer);
            long? entry = null;
            if (parsed.GetValue(Into) is { } own)
            {
                using Vault vault = Vault.Open(own, session.Access);
                entry = Handover.Keep(vault, offer, answer);
            }

            session.Answer(
                () => new JsonObject
                {
                    ["offer"] = offer.Entry.LeafHash.ToString(),
                    ["answer"] = answer[^1].LeafHash.ToString(),
                    ["accepted"] = accept,
                    ["key"] = answer[^1].Payload.Key,
                    ["images"] = new JsonArray([.. verified.Select(ToJson)]),
                    ["entry"] = Number(entry),
                    ["file"] = path,
                },
                output =>
                {
                    Print(output, offer);
                    foreach (TransferredImage image in verified)
                        output.WriteLine($"  sha256:{image.Image.ToString()[..16]}  {image.Verified} here, from the medium");
                    output.WriteLine($"{(accept ? "Accepted" : "Refused")}, signed by {session.Access.Actor}, key {answer[^1].Payload.Key[..15]}. Carry {path} back to {offer.Signer.Name}.");
                    output.WriteLine("Whose key signed the offer this cannot say: compare it with what its owner published.");
                    if (parsed.GetValue(Into) is not null)
                        output.WriteLine(entry is null ? "Both wait in staging of your own ledger." : $"Both are in your own ledger; the answer is entry {entry}.");
                });
            return ExitCode.Done;
        });
        return command;
    }

    private static Command Take()
    {
        var command = new Command("take", "Takes the other party's answer into the ledger.") { AnswerFile };
        Session.Bind(command, (session, parsed, _) =>
        {
            using Vault vault = session.OpenVault();
            (Transfer transfer, long? entry) = Handover.Take(vault, parsed.GetValue(AnswerFile)!);
            session.Answer(
                () =>
                {
                    JsonObject json = ToJson(transfer);
                    json["answerEntry"] = Number(entry);
                    return json;
                },
                text =>
                {
                    text.WriteLine(entry is null
                        ? "The answer is in order. It waits in staging, and what the holder of the log key records next takes it in."
                        : Sentence(transfer));
                });
            return Task.FromResult(ExitCode.Done);
        });
        return command;
    }

    private static Command Withdraw()
    {
        var command = new Command("withdraw", "Takes an offer back that was not answered.") { Entry, Why };
        Session.Bind(command, (session, parsed, _) =>
        {
            using Vault vault = session.OpenVault();
            long? entry = Handover.Withdraw(vault, parsed.GetValue(Entry), parsed.GetValue(Why));
            session.Answer(
                () => new JsonObject { ["entry"] = Number(entry) },
                text => text.WriteLine(entry is null ? "Signed; it waits in staging." : $"Recorded as ledger entry {entry}."));
            return Task.FromResult(ExitCode.Done);
        });
        return command;
    }

    private static Command List()
    {
        var command = new Command("list", "Lists the offers in the ledger, and what became of each.") { ListItem };
        Session.Bind(command, (session, parsed, _) =>
        {
            using Vault vault = session.OpenVault();
            CustodyLedger ledger = vault.Ledger.Open();
            string? item = parsed.GetValue(ListItem);
            Transfer[] transfers = [.. TransferBook.Read(ledger).Transfers.Where(t => item is null || t.Items.Contains(item, StringComparer.Ordinal))];
            session.Answer(
                () => new JsonObject { ["size"] = DecimalText.Format(ledger.Size), ["transfers"] = new JsonArray([.. transfers.Select(ToJson)]) },
                text =>
                {
                    foreach (Transfer transfer in transfers)
                    {
                        text.WriteLine(Sentence(transfer));
                        if (transfer.State == TransferState.Unanswered)
                            text.WriteLine($"       no answer among the ledger's {Units.Count(ledger.Size)} entries{Overdue(transfer, session.Access.Clock.GetCurrentInstant())}");
                    }

                    if (transfers.Length == 0)
                        text.WriteLine("No offer matches.");
                });
            return Task.FromResult(ExitCode.Done);
        });
        return command;
    }

    private static Command Chain()
    {
        var item = new Argument<string>("ITEM") { Description = "The item." };
        var command = new Command(
            "chain",
            """
            The chain of custody of an item: who had it from when to when, and the intervals in which nobody's signature says that they had it. Who images an item, offers
            it, or accepts it, says that they have it. 'evidence check' says the same of a proof of all entries of an item.

            Example:
              evidence transfer chain server-7
            """)
        {
            item, Options.Policy, Options.Trust,
        };
        Session.Bind(command, (session, parsed, _) =>
        {
            using Vault vault = session.OpenVault();
            CustodyLedger ledger = vault.Ledger.Open();
            var chain = CustodyChain.Read(ledger, parsed.GetValue(item)!);
            TimeBounds bounds = vault.Timestamps.Bounds(ledger.Witnessing(Options.FindPolicy(session, parsed)), session.TrustOf(parsed));
            session.Answer(
                () => new JsonObject { ["item"] = chain.Item, ["custody"] = CustodyText.ToJson(chain, bounds.Of) },
                text => CustodyText.Print(text, "", chain, bounds.Of));
            return Task.FromResult(ExitCode.Done);
        });
        return command;
    }

    private static string Overdue(Transfer transfer, Instant now) => transfer.Offer.AnswerBy is not { } by ? ""
        : now > by ? $"; one was asked for by {by}, which is past"
        : $"; one is asked for by {by}";

    private static string Sentence(Transfer transfer)
    {
        string items = string.Join(", ", transfer.Items);
        string offer = $"{transfer.Entry,5}  {transfer.Time}: {transfer.Offerer.Name} offered {items} to {transfer.Offer.Recipient}";
        return transfer.Outcome is not { } outcome ? offer + "." : offer + "; " + outcome.Statement switch
        {
            TransferWithdrawal => $"taken back by {outcome.Signer.Name} in entry {outcome.Entry}.",
            TransferAnswer answer => $"{(answer.IsAccepted ? "accepted" : "refused")} by {outcome.Signer.Name} in entry {outcome.Entry}, {outcome.Time}" +
                (transfer.IsRecipientProved ? ", with the key that the offer asked for." : "; the offer asked for no key, so the name is what the signer calls itself.") +
                (answer.Text is null ? "" : $" \"{answer.Text}\""),
            _ => "",
        };
    }

    private static void Print(TextWriter text, CarriedTransfer carried)
    {
        string items = string.Join(", ", carried.Entry.Payload.Items);
        switch (carried.Body)
        {
            case TransferOffer offer:
                text.WriteLine($"{carried.Signer.Name} offers {items} to {offer.Recipient}, {carried.Entry.Payload.Time} (claimed), in the ledger {offer.Origin}");
                if (offer.Terms is not null)
                    text.WriteLine($"  terms      {offer.Terms}");
                foreach (string seal in offer.Seals)
                    text.WriteLine($"  seal       {seal}");
                foreach (string container in offer.Containers)
                    text.WriteLine($"  in         {container}");
                foreach (TransferredImage image in offer.Images)
                    text.WriteLine($"  image      sha256:{image.Image}, {Units.Exact(image.Size)}; the offerer says: {image.Verified ?? "not verified for this handover"}");
                if (offer.AnswerBy is { } by)
                    text.WriteLine($"  answer by  {by}");
                break;
            case TransferAnswer answer:
                text.WriteLine($"{carried.Signer.Name} {(answer.IsAccepted ? "accepts" : "refuses")} {items}, {carried.Entry.Payload.Time} (claimed), offered in the ledger {answer.Origin}{(answer.Text is null ? "" : $": {answer.Text}")}");
                break;
            case TransferWithdrawal withdrawal:
                text.WriteLine($"{carried.Signer.Name} takes back the offer of {items}{(withdrawal.Text is null ? "" : $": {withdrawal.Text}")}");
                break;
            default:
                break;
        }

        text.WriteLine($"  signed by  {carried.Entry.Payload.Key}: good");
    }

    private static JsonObject ToJson(CarriedTransfer carried) => new()
    {
        ["leaf"] = carried.Entry.LeafHash.ToString(),
        ["signer"] = carried.Signer.Name,
        ["key"] = carried.Entry.Payload.Key,
        ["time"] = Timestamps.Format(carried.Entry.Payload.Time),
        ["case"] = carried.Entry.Payload.Case,
        ["items"] = new JsonArray([.. carried.Entry.Payload.Items.Select(i => (JsonNode)i)]),
        ["body"] = carried.Entry.Payload.Body.DeepClone(),
    };

    private static JsonObject ToJson(Transfer transfer) => new()
    {
        ["entry"] = Number(transfer.Entry),
        ["leaf"] = transfer.LeafHash.ToString(),
        ["items"] = new JsonArray([.. transfer.Items.Select(i => (JsonNode)i)]),
        ["case"] = transfer.Case,
        ["offerer"] = transfer.Offerer.Name,
        ["time"] = Timestamps.Format(transfer.Time),
        ["offer"] = transfer.Offer.ToJson(),
        ["state"] = transfer.State.ToString().ToLowerInvariant(),
        ["outcome"] = transfer.Outcome is not { } outcome ? null : new JsonObject
        {
            ["entry"] = Number(outcome.Entry),
            ["leaf"] = outcome.LeafHash.ToString(),
            ["signer"] = outcome.Signer.Name,
            ["key"] = outcome.Signer.KeyId,
            ["time"] = Timestamps.Format(outcome.Time),
            ["body"] = outcome.Statement.ToJson(),
        },
        ["recipientProved"] = transfer.IsRecipientProved,
    };

    private static JsonNode ToJson(TransferredImage image) => new JsonObject
    {
        ["image"] = $"sha256:{image.Image}",
        ["root"] = image.Root.ToString(),
        ["size"] = DecimalText.Format(image.Size),
        ["verified"] = image.Verified,
    };

    private static string? Number(long? entry) => entry?.ToString(CultureInfo.InvariantCulture);

    /// <summary>Verifies images in a vault, from the medium; one that is not there, or of another root, is said to be missing.</summary>
    private static async Task<IReadOnlyList<TransferredImage>> VerifyAsync(
        Session session, string folder, IEnumerable<(Sha256Digest Image, Sha256Digest Root, long Size)> images, Vault vault, CancellationToken cancellation)
    {
        (Sha256Digest Image, Sha256Digest Root, long Size)[] wanted = [.. images];
        HashSet<(Sha256Digest, Sha256Digest)> there = [.. vault.Images().Select(image => (image.Image, image.Root))];
        string[] names = [.. wanted.Where(image => there.Contains((image.Image, image.Root))).Select(image => $"sha256:{image.Image}")];
        Dictionary<Sha256Digest, string> verdicts = [];
        if (names.Length > 0)
        {
            await using var display = new ProgressDisplay(session.IsQuiet);
            ProgressDisplay.Job job = display.Add(folder);
            VerificationReport report = await VaultVerifier.VerifyAsync(
                folder, new VerificationOptions { Images = names, Logger = session.Access.Logger },
                new DirectProgress<VerificationProgress>(p => job.Report("verifying", p.Done, p.Total)), cancellation);
            verdicts = report.Images.ToDictionary(image => image.Image, image => image.Content.ToString().ToLowerInvariant());
        }

        return [.. wanted.Select(image => new TransferredImage(image.Image, image.Root, image.Size, verdicts.GetValueOrDefault(image.Image, "missing")))];
    }
}
