using System.CommandLine;
using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Ledger;
using Evidence.Preservation;
using Evidence.Preservation.Statements;
using Evidence.Proofs;
using Evidence.Vaults;

namespace Evidence.Cli.Commands;

internal static class ClearCommand
{
    private static readonly Option<string?> Output = new("--output")
    {
        Description = "Also write the clearance as a file that a machine without the vault checks ('evidence check --asset-serial'). One that is there is not overwritten.",
        HelpName = "FILE",
    };

    internal static Command Build() => new(
        "clear",
        """
        The way through the gate: somebody requests that servers may be wiped, others approve, and the gate gives a clearance for each, by its serials, that is worth something
        for a short time. It is used up by the wipe that begins with it.

        Examples:
          evidence clear request 'kept-*' --text "Wanted back by the landlord"
          evidence --actor alice clear approve 41
          evidence clear write 41 --output wish.file
          evidence --actor alice clear approve wish.file --output approval.file
          evidence clear take approval.file
          evidence clear grant kept-001 --output kept-001.clearance
          evidence clear list
        """)
    {
        Request(),
        Carry.WriteCommand<ClearanceRequest>("Writes a request's entry to a file, for somebody to approve it with a key and on a machine of their own.", "request", "clear"),
        Approve(),
        Take(),
        Grant(),
        List(),
    };

    private static Command Request()
    {
        var selector = new Argument<string>("SELECTOR") { Description = $"Which assets: {DocketOptions.SelectorWords}" };
        var command = new Command("request", "Requests that assets may be wiped. Whoever does cannot approve it.") { selector, DocketOptions.Text };
        Session.Bind(command, (session, parsed, _) =>
        {
            using Vault vault = session.OpenVault();
            var writer = new DocketWriter(vault);
            IReadOnlyList<string> assets = AssetSelector.Parse(parsed.GetValue(selector)!).Resolve(writer.Docket);
            IReadOnlyList<long> entries = writer.Request(assets, parsed.GetValue(DocketOptions.Text));
            session.Answer(entries, json => json["assets"] = DocketOptions.Strings(assets), text => text.WriteLine($"  It is about {DocketOptions.Names(assets)}."));
            return Task.FromResult(ExitCode.Done);
        });
        return command;
    }

    private static Command Approve()
    {
        var target = new Argument<string>("WHAT") { Description = "The entry's number; with --output the file that 'evidence clear write' wrote." };
        var output = new Option<string?>("--output") { Description = "Sign on a machine of one's own, without the vault, into this file; one that is there is not overwritten.", HelpName = "FILE" };
        var command = new Command(
            "approve",
            """
            Approves a request, or a change of policy. Whose approvals count, the policy says.

            Examples:
              evidence --actor alice clear approve 41
              evidence --actor alice clear approve wish.file --output approval.file
            """)
        {
            target, DocketOptions.Text, output,
        };
        Session.Bind(command, (session, parsed, _) =>
        {
            string name = parsed.GetValue(target)!;
            string? words = parsed.GetValue(DocketOptions.Text);
            if (parsed.GetValue(output) is { } path)
            {
                Sign(session, CarriedStatement.Read(name), name, words, path);
                return Task.FromResult(ExitCode.Done);
            }

            long entry = DocketOptions.ParseEntry(name, "what is in a file is approved with --output");
            using Vault vault = session.OpenVault();
            session.Answer(new DocketWriter(vault).Approve(entry, words));
            return Task.FromResult(ExitCode.Done);
        });
        return command;
    }

    private static void Sign(Session session, CarriedStatement carried, string name, string? words, string path)
    {
        if (carried.Statement is not ClearanceRequest)
            throw new EvidenceException(ErrorCode.EntriesInvalid, $"{name} holds no request, but an entry of the kind '{carried.Statement.Kind}'.");
        using (ActorKey own = session.Access.Keys!.LoadActor(session.Access.Actor))
        {
            if (own.Id == carried.Entry.Payload.Key)
                throw new EvidenceException(ErrorCode.DocketInvalid, $"{carried.Signer.Name} made the request, and cannot approve it: another does, by --actor.");
        }

        IReadOnlyList<string> assets = carried.Entry.Payload.Items;
        Carry.Sign(session, assets, new Approval(carried.Entry.LeafHash, words), path, $": {carried.Signer.Name}'s request about {DocketOptions.Names(assets)} is approved", "clear");
    }

    private static Command Take()
    {
        var command = new Command("take", "Takes an approval into the ledger that was signed on a machine of the approver's own.") { Carry.File };
        Session.Bind(command, (session, parsed, _) =>
        {
            Carry.Take(session, parsed, "approval", statement => (statement is Approval, null));
            return Task.FromResult(ExitCode.Done);
        });
        return command;
    }

    private static Command Grant()
    {
        var asset = new Argument<string>("ASSET") { Description = "The asset." };
        var command = new Command(
            "grant",
            """
            Asks the gate as of now, and records the clearance where it opens.

            Exit codes: 0 it is given; 5 the gate stays shut, with every reason.

            Example:
              evidence clear grant server-7 --output server-7.clearance
            """)
        {
            asset, Output,
        };
        Session.Bind(command, (session, parsed, cancellation) =>
        {
            string? path = parsed.GetValue(Output);
            if (path is not null && File.Exists(path))
                throw new EvidenceException(ErrorCode.DestinationInvalid, $"There is a file {path} already; name another.");
            using Vault vault = session.OpenVault();
            (GateDecision decision, long? entry) = new WipeDesk(vault).Grant(parsed.GetValue(asset)!);
            if (entry is { } index && path is not null)
                new Prover(vault).Write(ProofSubject.OfEntry(index), path, cancellation);
            session.Answer(
                () => Json(decision, entry, path),
                text =>
                {
                    DecisionText.Print(text, decision, explain: false);
                    if (!decision.IsCleared)
                        return;
                    text.WriteLine($"{DocketOptions.Recorded(DocketOptions.One(entry))} It is a clearance for {decision.Asset}, and for one wipe: 'evidence wipe begin {entry}'.");
                    if (entry is not null && path is not null)
                        text.WriteLine($"{path}: whoever wipes checks it with 'evidence check', a policy of their own, and --asset-serial.");
                });
            return Task.FromResult(decision.IsCleared ? ExitCode.Done : ExitCode.Refused);
        });
        return command;
    }

    private static Command List()
    {
        var command = new Command("list", "Lists the requests, who approved them, and the clearances, with what became of each.");
        Session.Bind(command, (session, _, cancellation) =>
        {
            using Vault vault = session.OpenVault();
            var docket = Docket.Read(vault.Ledger.Open(), cancellation: cancellation);
            Recorded<ClearanceRequest>[] requests = [.. docket.Assets.Values.SelectMany(asset => asset.Requests).DistinctBy(request => request.Entry).OrderBy(request => request.Entry)];
            (Recorded<ClearanceGrant> Grant, string State)[] grants =
            [
                .. docket.Assets.Values.SelectMany(asset => asset.Grants.Select(grant => (grant, StateOf(asset, grant, session.Access.Clock.GetCurrentInstant())))).OrderBy(grant => grant.grant.Entry),
            ];
            session.Answer(
                () => new JsonObject
                {
                    ["size"] = DecimalText.Format(docket.Size),
                    ["requests"] = new JsonArray([.. requests.Select(request => new JsonObject
                    {
                        ["entry"] = DocketOptions.Number(request.Entry),
                        ["requester"] = request.Signer.Name,
                        ["time"] = Timestamps.Format(request.Time),
                        ["text"] = request.Statement.Words,
                        ["assets"] = DocketOptions.Strings(request.Items),
                        ["approvals"] = new JsonArray([.. docket.ApprovalsOf(request.LeafHash).Select(approval => new JsonObject
                        {
                            ["entry"] = DocketOptions.Number(approval.Entry), ["approver"] = approval.Signer.Name,
                        })]),
                    })]),
                    ["clearances"] = new JsonArray([.. grants.Select(grant =>
                    {
                        JsonObject json = grant.Grant.Statement.ToJson();
                        json["entry"] = DocketOptions.Number(grant.Grant.Entry);
                        json["state"] = grant.State;
                        return json;
                    })]),
                },
                text =>
                {
                    if (requests.Length + grants.Length == 0)
                        text.WriteLine("Nobody requested a wipe. 'evidence clear request' does.");
                    if (requests.Length > 0)
                    {
                        TextTable.Print(text, ["REQUEST", "BY", "AT (UTC)", "ASSETS", "APPROVED BY"], requests.Select(request => (IReadOnlyList<string>)
                        [
                            Units.Count(request.Entry), request.Signer.Name, $"{request.Time}", DocketOptions.Names(request.Items),
                            string.Join(", ", docket.ApprovalsOf(request.LeafHash).Select(approval => $"{approval.Signer.Name} ({approval.Entry})")),
                        ]));
                    }

                    if (grants.Length > 0)
                    {
                        TextTable.Print(text, ["CLEARANCE", "ASSET", "GROUND", "UNTIL (UTC)", "STATE"], grants.Select(grant => (IReadOnlyList<string>)
                        [
                            Units.Count(grant.Grant.Entry), grant.Grant.Statement.Asset, ClearanceGrant.NameOf(grant.Grant.Statement.Ground), $"{grant.Grant.Statement.Expires}", grant.State,
                        ]));
                    }
                });
            return Task.FromResult(ExitCode.Done);
        });
        return command;
    }

    internal static JsonObject Json(GateDecision decision, long? entry, string? path)
    {
        JsonObject json = DecisionText.ToJson(decision);
        json["entry"] = DocketOptions.Number(entry);
        json["file"] = entry is null ? null : path;
        return json;
    }

    private static string StateOf(Asset asset, Recorded<ClearanceGrant> grant, NodaTime.Instant now) =>
        asset.Wipes.FirstOrDefault(wipe => wipe.Statement is WipeIntent intent && intent.Clearance == grant.LeafHash) is { } used
            ? asset.Wipes.FirstOrDefault(wipe => wipe.Statement is WipeReport report && report.Intent == used.LeafHash) is { } done ? $"used (entry {used.Entry}), wiped (entry {done.Entry})" : $"used (entry {used.Entry})"
        : now >= grant.Statement.Expires ? "expired"
        : "open";
}
