using System.CommandLine;
using System.Text.Json.Nodes;
using Evidence.Hashing;
using Evidence.Preservation;
using Evidence.Preservation.Statements;
using Evidence.Vaults;

namespace Evidence.Cli.Commands;

internal static class WipeCommand
{
    private static readonly Option<string[]> Serials = new("--serial")
    {
        Description = "The serials as they were read from the machine that is to be wiped. May be given several times.",
        HelpName = "S",
        Required = true,
    };

    private static readonly Option<string[]> WipedSerials = new("--serial") { Description = "The serials of the disks that it was done to. May be given several times.", HelpName = "S", Required = true };

    private static readonly Option<string> Method = new("--method") { Description = "What was done: overwritten, secure erase, degaussed, destroyed.", HelpName = "TEXT", Required = true };

    private static readonly Option<string?> Standard = new("--standard") { Description = "By what standard: \"NIST SP 800-88r1 Purge\", say.", HelpName = "TEXT" };

    private static readonly Option<string> Operator = new("--operator") { Description = "Who did it, as the firm calls them.", HelpName = "NAME", Required = true };

    private static readonly Option<string[]> Samples = new("--read-back")
    {
        Description = "Read a sample of a wiped disk back, from the device: the disk's id on the record, and the device. May be given several times.",
        HelpName = "DISK=DEVICE",
    };

    private static readonly Option<int> Places = new("--sample")
    {
        Description = "How many sectors of each to read. Which ones follows from the entry that says that the wipe begins, so that nobody can choose them.",
        HelpName = "N",
        DefaultValueFactory = _ => ReadBack.UsualPlaces,
        CustomParser = r => Options.Count(r, 1, ReadBack.MostPlaces),
    };

    private static readonly Option<string> Why = new("--text") { Description = "Why.", HelpName = "TEXT", Required = true };

    internal static Command Build() => new(
        "wipe",
        """
        The wipe itself: that it begins, which uses a clearance up and asks the gate once more, so that a hold which came meanwhile still counts; and what was done, which
        closes the server's story. The wiping is done with a tool of your own, between the two.

        Examples:
          evidence wipe begin 57 --serial SN-70019 && nwipe ... /dev/sdb
          evidence wipe done 58 --method "overwritten, one pass" --standard "NIST SP 800-88r1 Clear" --serial WX31A --operator "B. Field" --read-back server-7/sda=/dev/sdb
          evidence wipe abandon 58 --text "The disk does not answer"
        """)
    {
        Begin(),
        Done(),
        Abandon(),
    };

    private static Command Begin()
    {
        var clearance = new Argument<long>("CLEARANCE") { Description = "The clearance's entry.", CustomParser = Options.Entry };
        var command = new Command(
            "begin",
            """
            Says that a wipe begins now. Nothing is to be wiped before this ends with 0.

            Exit codes: 0 it may begin; 5 it may not, with every reason.

            Example:
              evidence wipe begin 57 --serial "$(dmidecode -s system-serial-number)"
            """)
        {
            clearance, Serials,
        };
        Session.Bind(command, (session, parsed, _) =>
        {
            using Vault vault = session.OpenVault();
            (GateDecision decision, long? entry) = new WipeDesk(vault).Begin(parsed.GetValue(clearance), parsed.GetValue(Serials)!);
            session.Answer(
                () => ClearCommand.Json(decision, entry, null),
                text =>
                {
                    if (!decision.IsCleared)
                    {
                        DecisionText.Print(text, decision, explain: false);
                        return;
                    }

                    text.WriteLine($"Wipe {decision.Asset} now. {DocketOptions.Recorded(DocketOptions.One(entry))}");
                    text.WriteLine($"When it is done: 'evidence wipe done {entry}'. When it is not: 'evidence wipe abandon {entry}'.");
                });
            return Task.FromResult(decision.IsCleared ? ExitCode.Done : ExitCode.Refused);
        });
        return command;
    }

    private static Command Done()
    {
        var intent = new Argument<long>("INTENT") { Description = "The entry that says that the wipe begins.", CustomParser = Options.Entry };
        var command = new Command(
            "done",
            """
            Records what was done. With --read-back a sample of each disk is read from the device, past the page cache, and what it held is in the entry: sectors of one
            repeated byte, sectors that cannot be read, and the digest of all that was read.

            Example:
              evidence wipe done 58 --method "secure erase" --serial WX31A --operator "B. Field" --read-back server-7/sda=/dev/sdb --document nwipe.log
            """)
        {
            intent, Method, Standard, WipedSerials, Operator, Samples, Places, DocketOptions.Document, DocketOptions.Text,
        };
        Session.Bind(command, (session, parsed, cancellation) =>
        {
            using Vault vault = session.OpenVault();
            var desk = new WipeDesk(vault);
            long entry = parsed.GetValue(intent);
            (Asset asset, Sha256Digest leaf) = desk.OpenIntent(entry);
            ReadBackSample[] samples = [.. (parsed.GetValue(Samples) ?? []).Select(sample => Read(asset, leaf, sample, parsed.GetValue(Places), cancellation))];
            Sha256Digest? document = DocketOptions.Keep(vault, parsed.GetValue(DocketOptions.Document));
            string[] serials = parsed.GetValue(WipedSerials)!;
            long? recorded = desk.Report(entry, (target, id) => new WipeReport(
                target, id, parsed.GetValue(Method)!, parsed.GetValue(Standard), serials, parsed.GetValue(Operator)!, samples, document, parsed.GetValue(DocketOptions.Text)));
            string[] left = [.. asset.Disks.Select(disk => disk.Serial).OfType<string>().Except(serials, StringComparer.Ordinal)];
            session.Answer(
                DocketOptions.One(recorded),
                json =>
                {
                    json["asset"] = asset.Id;
                    json["readBack"] = new JsonArray([.. samples.Select(sample => sample.ToJson())]);
                    json["serialsNotNamed"] = DocketOptions.Strings(left);
                },
                text =>
                {
                    foreach (ReadBackSample sample in samples)
                        text.WriteLine($"  {DocketText.ReadBackLine(sample)}");
                    if (left.Length > 0)
                        text.WriteLine($"  Disks of it with these serials are on the record, and were not named: {string.Join(", ", left)}.");
                });
            return Task.FromResult(ExitCode.Done);
        });
        return command;
    }

    private static Command Abandon()
    {
        var intent = new Argument<long>("INTENT") { Description = "The entry that says that the wipe begins.", CustomParser = Options.Entry };
        var command = new Command("abandon", "Says that a wipe that began was not done. The clearance stays used up.") { intent, Why };
        Session.Bind(command, (session, parsed, _) =>
        {
            using Vault vault = session.OpenVault();
            session.Answer(DocketOptions.One(new WipeDesk(vault).Report(parsed.GetValue(intent), (target, id) => new WipeAbandonment(target, id, parsed.GetValue(Why)!))));
            return Task.FromResult(ExitCode.Done);
        });
        return command;
    }

    private static ReadBackSample Read(Asset asset, Sha256Digest intent, string sample, int places, CancellationToken cancellation)
    {
        int at = sample.LastIndexOf('=');
        string disk = at > 0 ? sample[..at] : "";
        return asset.Disks.Any(known => known.Id == disk)
            ? ReadBack.Sample(intent, disk, sample[(at + 1)..], places, cancellation)
            : throw new EvidenceException(ErrorCode.Usage, $"'{sample}' names no disk of {asset.Id}: write DISK=DEVICE, with one of {string.Join(", ", asset.Disks.Select(known => known.Id))}.");
    }
}
