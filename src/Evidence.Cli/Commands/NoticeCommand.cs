using System.CommandLine;
using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Hashing;
using Evidence.Preservation;
using Evidence.Preservation.Statements;
using Evidence.Vaults;
using NodaTime;

namespace Evidence.Cli.Commands;

internal static class NoticeCommand
{
    private const string UsualWords = "These servers are to be wiped. Who objects says so within the window.";

    private static readonly Option<string[]> Parties = new("--party") { Description = "Whom to tell. May be given several times.", HelpName = "ID", Required = true };

    private static readonly Option<string> Text = new("--text") { Description = "What is told, in short.", HelpName = "TEXT", DefaultValueFactory = _ => UsualWords };

    private static readonly Option<string> ServeWithin = new("--serve-within")
    {
        Description = "By when from now it is to be delivered, provably: 45m, 12h, 2d. The window begins then.",
        HelpName = "TIME",
        DefaultValueFactory = _ => "2d",
    };

    private static readonly Option<int?> Days = new("--days") { Description = "How many days the party has. Without it: the longer of the policy's two terms.", HelpName = "N", CustomParser = r => Options.Count(r, 1) };

    private static readonly Option<string?> Unit = new Option<string?>("--unit") { Description = "Of which days, with --days: working, in the party's own calendar, or calendar.", HelpName = "UNIT" }
        .AcceptOnlyFromAmong("working", "calendar");

    private static readonly Argument<long[]> Entries = new("ENTRY") { Description = "The notices' entries in the ledger.", Arity = ArgumentArity.OneOrMore, CustomParser = Options.Entries };

    private static readonly Option<string> Method = new("--method") { Description = "How: courier, registered mail, e-mail, portal.", HelpName = "TEXT", Required = true };

    private static readonly Option<string> Outcome = new Option<string>("--outcome")
    {
        Description = "delivered: it reached the party; attempted: it was sent, and did not come back; failed.",
        HelpName = "OUTCOME",
        Required = true,
    }.AcceptOnlyFromAmong("delivered", "attempted", "failed");

    private static readonly Option<string?> OnlyParty = new("--party") { Description = "Only this party.", HelpName = "ID" };

    private static readonly Option<string?> OnlyAssets = new("--assets") { Description = $"Only these assets: {DocketOptions.SelectorWords}", HelpName = "SELECTOR" };

    internal static Command Build() => new(
        "notice",
        """
        Notices: who was told that what is to be wiped, how it was delivered, and how long they have to answer, in their own days. The window is computed once and stands in
        the entry. A notice counts where outsiders prove that it was delivered before its window began, so ask for a time stamp after each delivery.

        Examples:
          evidence notice send --party customer --party counsel --assets 'kept-*' --document notice.pdf
          evidence notice deliver 42 --method courier --outcome delivered --document receipt.pdf
          evidence notice write 42 --output notice-42.file       to carry to the party, who answers it on a machine of its own
          evidence notice due                                    who must do what by when
        """)
    {
        Send(),
        Deliver(),
        Carry.WriteCommand<NoticeStatement>(
            "Writes a notice's entry to a file, for the party to answer it with a key and on a machine of its own ('evidence response').", "notice", "notice"),
        List(),
        Due(),
    };

    private static Command Send()
    {
        var command = new Command(
            "send",
            """
            Records a notice to each of some parties, all of them or none. To bring it to them is yours to do: 'evidence notice deliver' records that.

            Example:
              evidence notice send --party customer --assets all --document notice.pdf --serve-within 3d
            """)
        {
            Parties, DocketOptions.Assets, DocketOptions.Document, Text, ServeWithin, Days, Unit,
        };
        Session.Bind(command, (session, parsed, _) =>
        {
            using Vault vault = session.OpenVault();
            var writer = new DocketWriter(vault);
            var material = GateMaterial.Of(vault, writer.Docket);
            PreservationPolicy policy = PolicyCommand.InForce(writer.Docket, material);
            NoticeTerm term = NoticeSchedule.UsualTerm(policy);
            if (parsed.GetValue(Unit) is not null && parsed.GetValue(Days) is null)
                throw new EvidenceException(ErrorCode.Usage, "--unit goes with --days.");
            if (parsed.GetValue(Days) is { } days)
                term = term with { Days = days, Unit = parsed.GetValue(Unit) is { } unit ? ResponseWindow.ParseUnit(unit) : term.Unit };
            IReadOnlyList<string> assets = AssetSelector.Parse(parsed.GetValue(DocketOptions.Assets)!).Resolve(writer.Docket);
            Instant from = session.Access.Clock.GetCurrentInstant() + Duration.FromTimeSpan(Units.ParseTime(parsed.GetValue(ServeWithin)!));
            Sha256Digest? document = DocketOptions.Keep(vault, parsed.GetValue(DocketOptions.Document));
            IReadOnlyList<SentNotice> notices = writer.Send(parsed.GetValue(Parties)!, assets, parsed.GetValue(Text)!, document, from, term, policy, material);
            session.Answer(
                [.. notices.SelectMany(notice => notice.Entries)],
                json =>
                {
                    json["assets"] = DocketOptions.Strings(assets);
                    json["notices"] = new JsonArray([.. notices.Select(notice => new JsonObject
                    {
                        ["party"] = notice.Statement.Party, ["entries"] = DocketOptions.Numbers(notice.Entries), ["window"] = notice.Statement.Window.ToJson(),
                    })]);
                },
                text =>
                {
                    foreach (SentNotice notice in notices)
                    {
                        text.WriteLine($"  entry {string.Join(", ", notice.Entries)}: to {notice.Statement.Party}, about {DocketOptions.Names(assets)}.");
                        text.WriteLine($"    {DocketText.Window(notice.Statement.Window)}");
                    }

                    text.WriteLine($"Deliver it, record that ('evidence notice deliver'), and have it time-stamped by {from}; else it does not count.");
                });
            return Task.FromResult(ExitCode.Done);
        });
        return command;
    }

    private static Command Deliver()
    {
        var command = new Command(
            "deliver",
            """
            Records an attempt to deliver a notice, or several that went together. It counts only with a paper that shows it: the mail server's answer, the courier's receipt, the portal's log.

            Example:
              evidence notice deliver 42 --method "registered mail RR123456785" --outcome delivered --document receipt.pdf
            """)
        {
            Entries, Method, Outcome, DocketOptions.Document, DocketOptions.Text,
        };
        Session.Bind(command, (session, parsed, _) =>
        {
            using Vault vault = session.OpenVault();
            var writer = new DocketWriter(vault);
            Sha256Digest? document = DocketOptions.Keep(vault, parsed.GetValue(DocketOptions.Document));
            DeliveryOutcome outcome = DeliveryStatement.ParseOutcome(parsed.GetValue(Outcome)!);
            IReadOnlyList<long> entries = writer.Deliver(
                parsed.GetValue(Entries)!, notice => new DeliveryStatement(notice, parsed.GetValue(Method)!, outcome, parsed.GetValue(DocketOptions.Text), document));
            session.Answer(entries, null, text =>
            {
                if (document is null && outcome != DeliveryOutcome.Failed)
                    text.WriteLine("  No paper shows it, so it does not count: record it again with --document.");
                else if (outcome != DeliveryOutcome.Failed)
                    text.WriteLine("  It counts once a time stamp is over it that is from before the window's beginning: 'evidence timestamp ask'.");
            });
            return Task.FromResult(ExitCode.Done);
        });
        return command;
    }

    private static Command List()
    {
        var command = new Command("list", "Lists the notices: to whom, about how many assets, until when, how they were delivered, and what was answered.") { OnlyParty };
        Session.Bind(command, (session, parsed, cancellation) =>
        {
            using Vault vault = session.OpenVault();
            var docket = Docket.Read(vault.Ledger.Open(), cancellation: cancellation);
            string? party = parsed.GetValue(OnlyParty);
            Recorded<NoticeStatement>[] notices =
            [
                .. docket.Assets.Values.SelectMany(asset => asset.Notices).DistinctBy(notice => notice.Entry).Where(notice => party is null || notice.Statement.Party == party).OrderBy(notice => notice.Entry),
            ];
            ILookup<Sha256Digest?, Recorded<ResponseStatement>> answers = docket.Assets.Values.SelectMany(asset => asset.Responses).DistinctBy(response => response.Entry).ToLookup(response => response.Statement.Notice);
            session.Answer(
                () => new JsonObject { ["size"] = DecimalText.Format(docket.Size), ["notices"] = new JsonArray([.. notices.Select(notice => ToJson(docket, notice, answers[notice.LeafHash]))]) },
                text =>
                {
                    if (notices.Length == 0)
                        text.WriteLine("No notice matches.");
                    else
                    {
                        TextTable.Print(text, ["ENTRY", "TO", "ASSETS", "WINDOW FROM (UTC)", "LAST DAY", "ZONE", "DELIVERED", "ANSWERS"], notices.Select(notice => (IReadOnlyList<string>)
                        [
                            Units.Count(notice.Entry), notice.Statement.Party, Units.Count(notice.Items.Count), $"{notice.Statement.Window.From}", $"{notice.Statement.Window.LastDay:uuuu-MM-dd}",
                            notice.Statement.Window.Zone, Attempts(docket, notice), Answers(answers[notice.LeafHash]),
                        ]));
                    }
                });
            return Task.FromResult(ExitCode.Done);
        });
        return command;
    }

    private static Command Due()
    {
        var command = new Command(
            "due",
            """
            Who must do what by when, by the policy's schedule: notices to be sent, delivered and stamped, windows that are open, reminders.

            Example:
              evidence notice due --assets 'kept-*'
            """)
        {
            OnlyAssets,
        };
        Session.Bind(command, (session, parsed, cancellation) =>
        {
            using Vault vault = session.OpenVault();
            var docket = Docket.Read(vault.Ledger.Open(), cancellation: cancellation);
            IEnumerable<string> assets = AssetSelector.Parse(parsed.GetValue(OnlyAssets) ?? "all").Resolve(docket);
            IReadOnlyList<NoticeTask> tasks = NoticeSchedule.List(docket, GateMaterial.Of(vault, docket), assets, session.Access.Clock.GetCurrentInstant());
            session.Answer(
                () => new JsonObject
                {
                    ["size"] = DecimalText.Format(docket.Size),
                    ["tasks"] = new JsonArray([.. tasks.Select(task => new JsonObject
                    {
                        ["party"] = task.Party,
                        ["step"] = task.Step.ToString().ToLowerInvariant(),
                        ["sentence"] = task.Sentence,
                        ["by"] = task.By is { } by ? Timestamps.Format(by) : null,
                        ["entries"] = DocketOptions.Numbers(task.Entries),
                        ["assets"] = DocketOptions.Strings(task.Assets),
                    })]),
                },
                text =>
                {
                    if (tasks.Count == 0)
                        text.WriteLine("Nothing is due: nobody who is to be told has a say in these assets.");
                    foreach (NoticeTask task in tasks)
                    {
                        text.WriteLine(task.Sentence);
                        text.WriteLine($"  for {DocketOptions.Names(task.Assets)}");
                    }
                });
            return Task.FromResult(ExitCode.Done);
        });
        return command;
    }

    private static string Attempts(Docket docket, Recorded<NoticeStatement> notice) =>
        docket.DeliveriesOf(notice.LeafHash) is { Count: > 0 } deliveries ? string.Join(", ", deliveries.Select(delivery => $"{DeliveryStatement.NameOf(delivery.Statement.Outcome)} ({delivery.Entry})")) : "no";

    private static string Answers(IEnumerable<Recorded<ResponseStatement>> answers) =>
        string.Join(", ", answers.Select(answer => $"{ResponseStatement.NameOf(answer.Statement.Act)} ({answer.Entry})")) is { Length: > 0 } text ? text : "none";

    private static JsonObject ToJson(Docket docket, Recorded<NoticeStatement> notice, IEnumerable<Recorded<ResponseStatement>> answers)
    {
        JsonObject json = notice.Statement.ToJson();
        json["entry"] = DocketOptions.Number(notice.Entry);
        json["leaf"] = notice.LeafHash.ToString();
        json["assets"] = DocketOptions.Strings(notice.Items);
        json["deliveries"] = new JsonArray([.. docket.DeliveriesOf(notice.LeafHash).Select(delivery => Entry(delivery.Entry, delivery.Statement))]);
        json["answers"] = new JsonArray([.. answers.Select(answer => Entry(answer.Entry, answer.Statement))]);
        return json;
    }

    private static JsonObject Entry(long entry, Statement statement)
    {
        JsonObject json = statement.ToJson();
        json["entry"] = DocketOptions.Number(entry);
        return json;
    }
}
