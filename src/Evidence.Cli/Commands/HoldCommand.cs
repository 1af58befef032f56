using System.CommandLine;
using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Hashing;
using Evidence.Preservation;
using Evidence.Preservation.Statements;
using Evidence.Vaults;

namespace Evidence.Cli.Commands;

internal static class HoldCommand
{
    private static readonly Option<string> Form = new Option<string>("--form")
    {
        Description = "order: whoever may command it does; request: a demand that was answered; letter: one that came by letter and was never answered.",
        HelpName = "FORM",
        Required = true,
    }.AcceptOnlyFromAmong("order", "request", "letter");

    private static readonly Option<string> Authority = new("--authority") { Description = "On what authority: the order's number, the letter's date.", HelpName = "TEXT", Required = true };

    private static readonly Option<string?> Since = new("--since") { Description = "Since when it is said to hold: 2012-01-19T00:00:00Z.", HelpName = "INSTANT" };

    private static readonly Option<string?> Until = new("--until") { Description = "Until when; without it, until it is released.", HelpName = "INSTANT" };

    private static readonly Option<string?> Output = new("--output")
    {
        Description = "Sign it here, with a key of your own and without the vault, into this file to carry; 'evidence hold take' takes it in there. One that is there is not overwritten.",
        HelpName = "FILE",
    };

    internal static Command Build() => new(
        "hold",
        """
        Holds: who demands that assets be kept, and on what authority. The assets are listed when the hold is placed, and stay those. Several holds over one asset are asked
        each by itself.

        Examples:
          evidence hold place --party counsel --form letter --authority "Letter of 2012-01-27" --document letter.pdf --assets 'kept-*'
          evidence hold place --party court --form order --authority "Order 12-cr-3" --assets kept-001,kept-002 --output order.hold    on the court's own machine
          evidence hold take order.hold
          evidence hold release 17 --party court --document order-2.pdf
          evidence hold list
        """)
    {
        Place(),
        Release(),
        Carry.WriteCommand<HoldStatement>("Writes the entry of a hold to a file, for the party to release it on a machine of its own.", "hold", "hold"),
        Take(),
        List(),
    };

    private static Command Place()
    {
        var command = new Command(
            "place",
            """
            Places a hold. It counts against a wipe whoever records it; released it is only by the party, by a superior, or at the end that it names.

            Example:
              evidence hold place --party authority --form order --authority "Preservation order 12-0013" --document order.pdf --assets 'rack=A*' --until 2013-01-19T00:00:00Z
            """)
        {
            DocketOptions.Party, Form, Authority, DocketOptions.Document, DocketOptions.Assets, Since, Until, Output,
        };
        Session.Bind(command, (session, parsed, _) =>
        {
            var selector = AssetSelector.Parse(parsed.GetValue(DocketOptions.Assets)!);
            string? document = parsed.GetValue(DocketOptions.Document);
            if (parsed.GetValue(Output) is { } path)
            {
                IReadOnlyList<string> names = selector.Names();
                Carry.Sign(session, names, Make(AssetList.Of(names), DocketOptions.DigestOf(document)), path, $", over {DocketOptions.Names(names)}", "hold");
                return Task.FromResult(ExitCode.Done);
            }

            using Vault vault = session.OpenVault();
            var writer = new DocketWriter(vault);
            IReadOnlyList<string> assets = selector.Resolve(writer.Docket);
            Sha256Digest? kept = DocketOptions.Keep(vault, document);
            IReadOnlyList<long> entries = writer.Place(assets, list => Make(list, kept));
            session.Answer(entries, json => json["assets"] = DocketOptions.Strings(assets), text => text.WriteLine($"  It is over {DocketOptions.Names(assets)}."));
            return Task.FromResult(ExitCode.Done);

            HoldStatement Make(AssetList list, Sha256Digest? digest) => new(
                parsed.GetValue(DocketOptions.Party)!, HoldStatement.ParseForm(parsed.GetValue(Form)!), parsed.GetValue(Authority)!, digest, selector.Text, list,
                parsed.GetValue(Since) is { } since ? Units.ParseInstant(since) : null, parsed.GetValue(Until) is { } until ? Units.ParseInstant(until) : null);
        });
        return command;
    }

    private static Command Release()
    {
        var target = new Argument<string>("ENTRY|FILE") { Description = "The entry of the hold, or of the objection; with --output, its file." };
        var command = new Command(
            "release",
            """
            Lets assets go of a hold, or overrules an objection. Whether the party may do that, and whether it was the party, the gate judges by the policy.

            Examples:
              evidence hold release 17 --party counsel --document letter.pdf --assets kept-001
              evidence hold release order.hold --party court --output release.hold      on the court's own machine
            """)
        {
            target, DocketOptions.Party, DocketOptions.SomeAssets, DocketOptions.Document, DocketOptions.Text, Output,
        };
        Session.Bind(command, (session, parsed, _) =>
        {
            string name = parsed.GetValue(target)!;
            string party = parsed.GetValue(DocketOptions.Party)!;
            string? document = parsed.GetValue(DocketOptions.Document);
            string? words = parsed.GetValue(DocketOptions.Text);
            if (parsed.GetValue(Output) is { } path)
            {
                var carried = CarriedStatement.Read(name);
                IReadOnlyList<string> names = parsed.GetValue(DocketOptions.SomeAssets) is { } some ? AssetSelector.Parse(some).Names() : carried.Entry.Payload.Items;
                if (names.FirstOrDefault(asset => !carried.Entry.Payload.Items.Contains(asset, StringComparer.Ordinal)) is { } stranger)
                    throw new EvidenceException(ErrorCode.Usage, $"{name} is not about '{stranger}'.");
                Carry.Sign(
                    session, names, new ReleaseStatement(carried.Entry.LeafHash, party, DocketOptions.DigestOf(document), words), path, $", for {DocketOptions.Names(names)}", "hold");
                return Task.FromResult(ExitCode.Done);
            }

            long entry = DocketOptions.ParseEntry(name, "from a file a release is signed with --output");
            using Vault vault = session.OpenVault();
            var writer = new DocketWriter(vault);
            IReadOnlyList<string>? assets = DocketOptions.Resolve(parsed.GetValue(DocketOptions.SomeAssets), writer.Docket);
            session.Answer(writer.Release(entry, assets, party, DocketOptions.Keep(vault, document), words));
            return Task.FromResult(ExitCode.Done);
        });
        return command;
    }

    private static Command Take()
    {
        var command = new Command("take", "Takes a hold or a release into the ledger that a party signed on a machine of its own.") { Carry.File, Carry.Document };
        Session.Bind(command, (session, parsed, _) =>
        {
            Carry.Take(session, parsed, "hold or release", statement => statement switch
            {
                HoldStatement hold => (true, hold.Document),
                ReleaseStatement release => (true, release.Document),
                _ => (false, null),
            });
            return Task.FromResult(ExitCode.Done);
        });
        return command;
    }

    private static Command List()
    {
        var command = new Command("list", "Lists the holds, and over how many of its assets each stands. Whether one binds, 'evidence gate' says of each asset.");
        Session.Bind(command, (session, _, cancellation) =>
        {
            using Vault vault = session.OpenVault();
            var docket = Docket.Read(vault.Ledger.Open(), cancellation: cancellation);
            IReadOnlyList<HoldStanding> holds = HoldStanding.List(docket, GateMaterial.Of(vault, docket), session.Access.Clock.GetCurrentInstant());
            session.Answer(
                () => new JsonObject { ["size"] = DecimalText.Format(docket.Size), ["holds"] = new JsonArray([.. holds.Select(ToJson)]) },
                text =>
                {
                    if (holds.Count == 0)
                        text.WriteLine("No hold is on the record.");
                    else
                    {
                        TextTable.Print(text, ["ENTRY", "PARTY", "FORM", "ASSETS", "STANDS OVER", "UNTIL", "AUTHORITY"], holds.Select(hold => (IReadOnlyList<string>)
                        [
                            Units.Count(hold.Hold.Entry), hold.Hold.Statement.Party, HoldStatement.NameOf(hold.Hold.Statement.Form), Units.Count(hold.Assets.Count), Units.Count(hold.Standing.Count),
                            hold.Hold.Statement.Until is { } until ? $"{until}" : "released", hold.Hold.Statement.Authority,
                        ]));
                    }
                });
            return Task.FromResult(ExitCode.Done);
        });
        return command;
    }

    private static JsonObject ToJson(HoldStanding hold)
    {
        JsonObject json = hold.Hold.Statement.ToJson();
        json["entries"] = DocketOptions.Numbers(hold.Entries);
        json["signer"] = hold.Hold.Signer.Name;
        json["assets"] = DocketOptions.Strings(hold.Assets);
        json["standing"] = DocketOptions.Strings(hold.Standing);
        return json;
    }
}
