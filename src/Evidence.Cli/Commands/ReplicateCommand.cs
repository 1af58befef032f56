using System.CommandLine;
using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Replication;
using Evidence.Vaults;

namespace Evidence.Cli.Commands;

internal static class ReplicateCommand
{
    private static readonly Argument<string[]> Images = new("IMAGE")
    {
        Description = "Items, or sha256: and at least eight digits: only these, in whole packs. Without any: all. The ledger always goes whole.",
        Arity = ArgumentArity.ZeroOrMore,
        Validators = { Options.RefuseUnknownOptions },
    };

    private static readonly Option<string?> To = new("--to")
    {
        Description = "The replica's folder: one that does not exist yet, or that was replicated to before.",
        HelpName = "DIR",
    };

    private static readonly Option<bool> Check = new("--check") { Description = "Send nothing: read what was sent, and say what is not there as it was." };

    private static readonly Option<bool> Resend = new("--resend") { Description = "The same, and send that again. What lies there under the name of a pack or a manifest goes aside." };

    internal static Command Build()
    {
        var command = new Command(
            "replicate",
            """
            Copies images and ledger to a folder that is a vault of the same name, and is only read. Only what is missing there is sent, by this machine's own record of
            what it sent; what is damaged here is not sent, nor are the images that need it, and the exit code is 3. Whatever ends a replication early, the copy is sound,
            and the same command goes on.

            Examples:
              evidence replicate --to /mnt/custodian/evidence.vault
              evidence replicate --to /mnt/custodian/evidence.vault server-7
              evidence replicate --to /mnt/custodian/evidence.vault --check
              evidence replicate receive --vault /mnt/disk/evidence.vault --output lab.receipt     the recipient, on their machine
              evidence replicate accept lab.receipt
            """)
        {
            Images, To, Check, Resend, ReceiptCommands.Receive(), ReceiptCommands.Accept(),
        };
        Session.Bind(command, RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(Session session, ParseResult parsed, CancellationToken cancellation)
    {
        string to = parsed.GetValue(To) ?? throw new EvidenceException(ErrorCode.Usage, "Where to? Name the replica's folder with --to.");
        string[] images = parsed.GetValue(Images) ?? [];
        if (parsed.GetValue(Check) && (images.Length > 0 || parsed.GetValue(Resend)))
            throw new EvidenceException(ErrorCode.Usage, "--check goes over all that was sent: leave out the images' names and --resend.");
        using Vault vault = session.OpenVault();
        return parsed.GetValue(Check)
            ? await CompareAsync(session, new Replicator(vault), to, cancellation)
            : await SendAsync(session, new Replicator(vault), to, new ReplicationOptions { Images = images, Resend = parsed.GetValue(Resend) }, cancellation);
    }

    private static async Task<int> CompareAsync(Session session, Replicator replicator, string to, CancellationToken cancellation)
    {
        IReadOnlyList<ReplicaDifference> found;
        await using (var display = new ProgressDisplay(session.IsQuiet))
        {
            ProgressDisplay.Job job = display.Add(to);
            found = await replicator.CheckAsync(to, new DirectProgress<ReplicationProgress>(p => job.Report("comparing", p.Done, p.Total)), cancellation);
        }

        session.Answer(() => new JsonObject { ["differences"] = ToJson(found) }, text => Print(text, to, found));
        return found.Count == 0 ? ExitCode.Done : ExitCode.Refuted;
    }

    private static async Task<int> SendAsync(Session session, Replicator replicator, string to, ReplicationOptions options, CancellationToken cancellation)
    {
        ReplicationResult result;
        await using (var display = new ProgressDisplay(session.IsQuiet))
        {
            ProgressDisplay.Job job = display.Add(to);
            result = await replicator.ReplicateAsync(to, options, new DirectProgress<ReplicationProgress>(p => job.Report("sending", p.Done, p.Total)), cancellation);
        }

        session.Answer(() => ToJson(result), text => Print(text, to, result, options.Images.Count > 0));
        return result.IsWhole ? ExitCode.Done : ExitCode.Refuted;
    }

    private static JsonObject ToJson(ReplicationResult result) => new()
    {
        ["replica"] = result.Replica,
        ["new"] = result.IsNew,
        ["size"] = DecimalText.Format(result.Checkpoint.Size),
        ["root"] = result.Checkpoint.Root.ToString(),
        ["packs"] = DecimalText.Format(result.Packs),
        ["packBytes"] = DecimalText.Format(result.PackBytes),
        ["earlierPacks"] = DecimalText.Format(result.EarlierPacks),
        ["otherBytes"] = DecimalText.Format(result.OtherBytes),
        ["documents"] = DecimalText.Format(result.Documents),
        ["images"] = new JsonArray([.. result.Images.Select(i => (JsonNode)$"sha256:{i}")]),
        ["damaged"] = new JsonArray([.. result.Damaged.Select(d => new JsonObject { ["file"] = d.File, ["reason"] = d.Reason })]),
        ["heldBack"] = new JsonArray([.. result.HeldBack.Select(h => new JsonObject { ["image"] = $"sha256:{h.Image}", ["item"] = h.Item, ["reason"] = h.Reason })]),
        ["resent"] = ToJson(result.Resent),
    };

    private static JsonArray ToJson(IEnumerable<ReplicaDifference> differences) =>
        new([.. differences.Select(d => new JsonObject { ["file"] = d.File, ["missing"] = d.IsMissing, ["detail"] = d.Detail })]);

    private static void Print(TextWriter text, string to, IReadOnlyList<ReplicaDifference> differences)
    {
        text.WriteLine(differences.Count == 0 ? $"SAME  {to}: everything that was sent is there as it was" : $"DIFFERENT  {to}");
        foreach (ReplicaDifference difference in differences)
            text.WriteLine($"  {difference.File}: {difference.Detail}");
        if (differences.Count > 0)
            text.WriteLine("  --resend sends these again");
    }

    private static void Print(TextWriter text, string to, ReplicationResult result, bool isNamed)
    {
        text.WriteLine($"{(result.IsWhole ? "REPLICATED" : "INCOMPLETE")}  {to}, replica {result.Replica}{(result.IsNew ? ", new" : "")}");
        text.WriteLine($"  {Units.Count(result.Packs)} packs sent, {Units.Exact(result.PackBytes)}; {Units.Count(result.EarlierPacks)} were sent before");
        if (isNamed)
            text.WriteLine($"  packs go whole: {Units.Exact(result.OtherBytes)} in them are of other images, and come along");
        text.WriteLine($"  {Units.Count(result.Images.Count)} images and {Units.Count(result.Documents)} documents sent; ledger up to {Units.Count(result.Checkpoint.Size)} entries, root {result.Checkpoint.Root}");
        foreach (ReplicaDifference again in result.Resent)
            text.WriteLine($"  again: {again.File}: {again.Detail}");
        foreach (NotSentFile file in result.Damaged)
            text.WriteLine($"  DAMAGED here, not sent: {file.File}: {file.Reason}");
        foreach (HeldBackImage image in result.HeldBack)
            text.WriteLine($"  held back: {image.Item}  sha256:{image.Image.ToString()[..16]}: {image.Reason}");
    }
}
