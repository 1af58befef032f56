using System.CommandLine;
using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Ledger;
using Evidence.Preservation;
using Evidence.Preservation.Statements;
using Evidence.Vaults;

namespace Evidence.Cli.Commands;

internal static class AssetCommand
{
    private static readonly Argument<string> Id = new("ID") { Description = "What the asset is called in this ledger." };

    private static readonly Option<string[]> Serials = new("--serial") { Description = "A serial number on the machine. May be given several times.", HelpName = "S" };

    private static readonly Option<string[]> Disks = new("--disk")
    {
        Description = "A disk of it: the item that it is imaged as, and what is known of it. May be given several times.",
        HelpName = "ID[,serial=S][,size=BYTES]",
    };

    private static readonly Option<string?> Rack = new("--rack") { Description = "Where it stands.", HelpName = "PLACE" };

    private static readonly Option<string[]> Parties = new("--party") { Description = "Who has a say in it. May be given several times.", HelpName = "ID" };

    private static readonly Option<bool> DryRun = new("--dry-run") { Description = "Only say what would be declared." };

    private static readonly Argument<string?> Selector = new("SELECTOR") { Description = $"Which: {DocketOptions.SelectorWords}", Arity = ArgumentArity.ZeroOrOne, Validators = { Options.RefuseUnknownOptions } };

    internal static Command Build() => new(
        "asset",
        """
        The servers: what each is, by its serials, which disks it has, who has a say in it, and how it stands with it.

        Examples:
          evidence asset add server-7 --serial SN-70019 --disk server-7/sda,serial=WX31A,size=500107862016 --rack A3 --party customer
          evidence asset import inventory.csv --dry-run
          evidence asset state server-7 seized --text "Warrant 12-0013" --document receipt.pdf
          evidence asset list 'rack=A*'
          evidence asset show server-7
        """)
    {
        Add(),
        Import(),
        State(),
        List(),
        Show(),
    };

    private static Command Add()
    {
        var command = new Command(
            "add",
            """
            Declares an asset, or more disks and parties of one. Nothing is taken away from it so, and another machine needs another name.

            Example:
              evidence asset add server-7 --serial SN-70019 --disk server-7/sda --disk server-7/sdb --rack A3 --party customer --party counsel
            """)
        {
            Id, Serials, Disks, Rack, Parties,
        };
        Session.Bind(command, (session, parsed, _) =>
        {
            using Vault vault = session.OpenVault();
            var writer = new DocketWriter(vault);
            string id = parsed.GetValue(Id)!;
            string[] serials = parsed.GetValue(Serials) is { Length: > 0 } given ? given
                : writer.Docket.Assets.GetValueOrDefault(id) is { Declarations.Count: > 0 } known ? [.. known.Serials]
                : throw new EvidenceException(ErrorCode.Usage, $"'{id}' is not on the record yet: say by --serial which machine it is.");
            IReadOnlyList<long> entries = writer.Declare([new AssetDeclaration(id, serials, [.. (parsed.GetValue(Disks) ?? []).Select(ParseDisk)], parsed.GetValue(Rack), parsed.GetValue(Parties) ?? [])]);
            session.Answer(entries);
            return Task.FromResult(ExitCode.Done);
        });
        return command;
    }

    private static Command Import()
    {
        var file = new Argument<string>("FILE") { Description = "Comma-separated values; the first line names the columns: asset,serials,disks,rack,parties." };
        var command = new Command(
            "import",
            """
            Declares the assets of a file, all at once or none. Several serials, disks or parties in a cell have a semicolon between; what is on the record already is left out.

            A file:
              asset,serials,disks,rack,parties
              server-7,SN-70019,"server-7/sda,serial=WX31A;server-7/sdb",A3,customer;counsel

            Example:
              evidence asset import inventory.csv
            """)
        {
            file, DryRun,
        };
        Session.Bind(command, (session, parsed, _) =>
        {
            IReadOnlyList<AssetDeclaration> assets = AssetFile.Read(parsed.GetValue(file)!);
            using Vault vault = session.OpenVault();
            var writer = new DocketWriter(vault);
            IReadOnlyList<AssetDeclaration> fresh = writer.WithoutKnown(assets);
            bool isDry = parsed.GetValue(DryRun);
            IReadOnlyList<long> entries = isDry || fresh.Count == 0 ? [] : writer.Declare(fresh);
            session.Answer(
                () => new JsonObject
                {
                    ["assets"] = DecimalText.Format(assets.Count),
                    ["declared"] = DecimalText.Format(isDry ? 0 : fresh.Count),
                    ["known"] = DecimalText.Format(assets.Count - fresh.Count),
                    ["dryRun"] = isDry,
                    ["firstEntry"] = DocketOptions.Number(entries.Count > 0 ? entries[0] : null),
                    ["lastEntry"] = DocketOptions.Number(entries.Count > 0 ? entries[^1] : null),
                },
                text =>
                {
                    text.WriteLine($"{Units.Count(assets.Count)} assets in the file: {Units.Count(fresh.Count)} with something new, {Units.Count(assets.Count - fresh.Count)} on the record already.");
                    if (isDry)
                        text.WriteLine("Nothing was recorded: that was a dry run.");
                    else if (fresh.Count > 0)
                        text.WriteLine(DocketOptions.Recorded(entries));
                });
            return Task.FromResult(ExitCode.Done);
        });
        return command;
    }

    private static Command State()
    {
        var state = new Argument<string>("STATE") { Description = "How it stands with it: in-service, isolated, seized, returned." };
        state.AcceptOnlyFromAmong([.. Enum.GetValues<AssetState>().Select(AssetStateChange.NameOf)]);
        var selector = new Argument<string>("ID") { Description = $"Which assets: {DocketOptions.SelectorWords}" };
        var command = new Command(
            "state",
            """
            Says how it stands with assets from here on. What was seized is not the firm's to wipe until it is back.

            Example:
              evidence asset state 'seized-*' seized --text "Search warrant 12-0013" --document receipt.pdf
            """)
        {
            selector, state, DocketOptions.Text, DocketOptions.Document,
        };
        Session.Bind(command, (session, parsed, _) =>
        {
            using Vault vault = session.OpenVault();
            var writer = new DocketWriter(vault);
            IReadOnlyList<string> assets = AssetSelector.Parse(parsed.GetValue(selector)!).Resolve(writer.Docket);
            AssetState to = AssetStateChange.ParseState(parsed.GetValue(state)!);
            Hashing.Sha256Digest? document = DocketOptions.Keep(vault, parsed.GetValue(DocketOptions.Document));
            IReadOnlyList<long> entries = writer.Say([.. assets.Select(asset => new AssetStateChange(asset, to, parsed.GetValue(DocketOptions.Text), document))]);
            session.Answer(entries, json => json["assets"] = DocketOptions.Strings(assets));
            return Task.FromResult(ExitCode.Done);
        });
        return command;
    }

    private static Command List()
    {
        var command = new Command("list", "Lists the assets on the record. How it stands with each before the gate, 'evidence gate --all' says.") { Selector };
        Session.Bind(command, (session, parsed, cancellation) =>
        {
            using Vault vault = session.OpenVault();
            var docket = Docket.Read(vault.Ledger.Open(), cancellation: cancellation);
            Asset[] assets =
            [
                .. (DocketOptions.Resolve(parsed.GetValue(Selector), docket)?.Select(id => docket.Assets[id]) ?? docket.Assets.Values.Where(asset => asset.Declarations.Count > 0))
                    .OrderBy(asset => asset.Id, StringComparer.Ordinal),
            ];
            session.Answer(
                () => new JsonObject { ["size"] = DecimalText.Format(docket.Size), ["assets"] = new JsonArray([.. assets.Select(ToJson)]) },
                text =>
                {
                    if (assets.Length == 0)
                        text.WriteLine("No asset is on the record. 'evidence asset add' and 'evidence asset import' declare them.");
                    else
                    {
                        TextTable.Print(text, ["ASSET", "SERIALS", "RACK", "STATE", "DISKS", "HOLDS", "PARTIES"], assets.Select(asset => (IReadOnlyList<string>)
                        [
                            asset.Id, string.Join(", ", asset.Serials), asset.Rack ?? "", StateOf(asset), Units.Count(asset.Disks.Count), Units.Count(asset.Holds.Count), string.Join(", ", asset.Parties),
                        ]));
                    }
                });
            return Task.FromResult(ExitCode.Done);
        });
        return command;
    }

    private static Command Show()
    {
        var command = new Command("show", "Shows an asset and its whole story: every entry that concerns it, its disks, or an image of them.") { Id };
        Session.Bind(command, (session, parsed, cancellation) =>
        {
            using Vault vault = session.OpenVault();
            var docket = Docket.Read(vault.Ledger.Open(), cancellation: cancellation);
            string id = parsed.GetValue(Id)!;
            IReadOnlyList<JudgedEntry> story = AssetStory.Read(docket, id);
            Asset asset = docket.Assets[id];
            session.Answer(
                () =>
                {
                    JsonObject json = ToJson(asset);
                    json["size"] = DecimalText.Format(docket.Size);
                    json["entries"] = new JsonArray([.. story.Select(EntryText.ToJson)]);
                    return json;
                },
                text =>
                {
                    text.WriteLine($"{asset.Id}: {StateOf(asset)}");
                    text.WriteLine($"  serials    {string.Join(", ", asset.Serials)}");
                    foreach (AssetDisk disk in asset.Disks)
                        text.WriteLine($"  disk       {disk.Id}{(disk.Serial is { } serial ? $", serial {serial}" : "")}{(disk.Size is { } size ? $", {Units.Exact(size)}" : "")}");
                    if (asset.Rack is { } rack)
                        text.WriteLine($"  rack       {rack}");
                    text.WriteLine($"  parties    {string.Join(", ", asset.Parties)}");
                    text.WriteLine($"Its story, all {Units.Count(story.Count)} of the ledger's {Units.Count(docket.Size)} entries that concern it:");
                    foreach (JudgedEntry judged in story)
                    {
                        text.WriteLine();
                        EntryText.Print(text, judged);
                    }
                });
            return Task.FromResult(ExitCode.Done);
        });
        return command;
    }

    private static AssetDisk ParseDisk(string text)
    {
        try
        {
            return AssetDisk.ParseText(text);
        }
        catch (FormatException e)
        {
            throw new EvidenceException(ErrorCode.Usage, e.Message, e);
        }
    }

    private static string StateOf(Asset asset) =>
        asset.Wiped is not null ? "wiped"
        : asset.OpenIntent is not null ? "wiping"
        : asset.States is [.., var last] ? AssetStateChange.NameOf(last.Statement.State)
        : "";

    private static JsonObject ToJson(Asset asset) => new()
    {
        ["asset"] = asset.Id,
        ["serials"] = DocketOptions.Strings(asset.Serials),
        ["disks"] = new JsonArray([.. asset.Disks.Select(disk => new JsonObject
        {
            ["id"] = disk.Id, ["serial"] = disk.Serial, ["size"] = disk.Size is { } size ? DecimalText.Format(size) : null,
        })]),
        ["rack"] = asset.Rack,
        ["parties"] = DocketOptions.Strings(asset.Parties),
        ["state"] = StateOf(asset) is { Length: > 0 } state ? state : null,
        ["holds"] = DocketOptions.Numbers(asset.Holds.Select(hold => hold.Entry)),
        ["conflicts"] = DocketOptions.Numbers(asset.Conflicts.Select(conflict => conflict.Entry)),
    };
}
