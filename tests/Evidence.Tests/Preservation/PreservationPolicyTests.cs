using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.RegularExpressions;
using Evidence.Hashing;
using Evidence.Preservation;
using Evidence.Preservation.Statements;
using FsCheck;
using FsCheck.Fluent;
using NodaTime;
using Xunit;

namespace Evidence.Tests.Preservation;

public sealed partial class PreservationPolicyTests
{
    private static readonly string Document = Encoding.UTF8.GetString(PreservationPolicy.DefaultDocument.Span);

    private static readonly string[] KeyIds = [.. Enumerable.Range(1, 4).Select(n => $"sha256:{Sha256Digest.Compute([(byte)n])}")];

    [Fact]
    public void The_default_is_what_it_is_documented_to_be()
    {
        PreservationPolicy policy = PreservationPolicy.Default;
        Assert.Equal(Sha256Digest.Compute(PreservationPolicy.DefaultDocument.Span), policy.Digest);
        Assert.Equal("Default", policy.Name);
        Assert.Empty(policy.Time.Authorities);
        Assert.Equal((Duration.FromDays(7), Duration.FromMinutes(10)), (policy.Time.Fresh, policy.Time.Tolerance));
        Assert.Equal(new HoldRules(HoldTerm.Released, HoldTerm.Silence, HoldTerm.Silence), policy.Holds);
        Assert.Equal([HoldTerm.Released, HoldTerm.Silence, HoldTerm.Silence], Enum.GetValues<HoldForm>().Select(policy.Holds.TermOf));
        Assert.Equal((2, Duration.FromDays(90), 0L), (policy.Preserved.Copies, policy.Preserved.Verified, policy.Preserved.Unreadable));
        Assert.Equal([PartyRole.Court, PartyRole.Authority, PartyRole.Customer, PartyRole.Counsel], policy.Preserved.AcceptedBy);
        Assert.Equal([PartyRole.Customer, PartyRole.Counsel, PartyRole.Authority, PartyRole.Court, PartyRole.Users], policy.Notices.To);
        Assert.Equal(new NoticeTerm(1, 10, WindowUnit.Working, Duration.Zero), policy.Notices.WhenPreserved);
        Assert.Equal(new NoticeTerm(3, 20, WindowUnit.Working, Duration.FromDays(14)), policy.Notices.OnSilence);
        Assert.Equal(DeliveryOutcome.Delivered, policy.Notices.Delivery);
        Assert.Equal(Enum.GetValues<PartyRole>().Except([PartyRole.Provider, PartyRole.Custodian]), policy.Objections.Block.Order());
        Assert.Equal((2, Duration.FromDays(30)), (policy.Approvals.Count, policy.Approvals.Within));
        Assert.Empty(policy.Approvals.By);
        Assert.Equal(Duration.FromDays(14), policy.CoolingOff);
        Assert.Equal(Duration.FromHours(24), policy.Clearance.Valid);
        Assert.Equal(Enum.GetValues<PartyRole>().Except([PartyRole.Court]), policy.Superiors[PartyRole.Court].Order());
        Assert.Empty(policy.Superiors[PartyRole.Authority]);
        Assert.Equal(2, policy.Superiors.Count);
        Assert.Equal(new ChangeRules(2, Duration.FromDays(14)), policy.Changes);
    }

    [Fact]
    public void What_the_default_lacks_can_be_filled_in()
    {
        Assert.Equal(2, PreservationPolicy.Default.Lacking.Count);
        Sha256Digest[] authorities = [Sha256Digest.Compute("a"u8), Sha256Digest.Compute("b"u8)];
        ReadOnlyMemory<byte> document = PreservationPolicy.FillIn("Carpathia: servers # 1", authorities, KeyIds);
        var policy = PreservationPolicy.Parse(document.Span);
        Assert.Equal("Carpathia: servers # 1", policy.Name);
        Assert.Equal(authorities, policy.Time.Authorities);
        Assert.Equal(KeyIds, policy.Approvals.By, StringComparer.Ordinal);
        Assert.Empty(policy.Lacking);
        Assert.Equal(Sha256Digest.Compute(document.Span), policy.Digest);
        // All else is the default's, comments and all.
        string[] changed = [.. Encoding.UTF8.GetString(document.Span).Split('\n').Except(Document.Split('\n'), StringComparer.Ordinal)];
        Assert.Equal(3, changed.Length);
        Assert.Contains("time.authorities", Assert.Single(PreservationPolicy.Parse(PreservationPolicy.FillIn("x", [], KeyIds).Span).Lacking), StringComparison.Ordinal);
        Assert.Contains("approvals.by", Assert.Single(PreservationPolicy.Parse(PreservationPolicy.FillIn("x", authorities, []).Span).Lacking), StringComparison.Ordinal);
    }

    [Fact]
    public void What_cannot_be_filled_in_is_refused()
    {
        foreach ((string name, string[] keys, string reason) in ((string, string[], string)[])[
            ("a\"b", KeyIds, "one line without quotes"), ("a\nb", KeyIds, "one line without quotes"), ("", KeyIds, "'name' has no value"), ("a", KeyIds[..1], "names 1, and 2 must approve"),
            ("a", ["alice", "bob"], "'alice' is no key id"), ("a", [KeyIds[0], KeyIds[0]], "stands in the list already")])
        {
            EvidenceException refused = Assert.Throws<EvidenceException>(() => PreservationPolicy.FillIn(name, [], keys));
            Assert.Equal(ErrorCode.PolicyInvalid, refused.Code);
            Assert.Contains(reason, refused.Message, StringComparison.Ordinal);
        }
    }

    public static TheoryData<int> KeyLines => [.. Lines().Select((line, n) => (line, Number: n + 1)).Where(l => KeyLine().IsMatch(l.line)).Select(l => l.Number)];

    [Fact]
    public void The_table_has_every_key_of_the_default() => Assert.Equal(42, KeyLines.Count);

    [Theory]
    [MemberData(nameof(KeyLines))]
    public void A_key_that_is_missing_is_told_with_the_line_of_what_it_is_missed_from(int number)
    {
        (string key, int indent, int end) = KeyAt(number);
        string[] lines = Lines();
        (string parent, int parentLine) = ParentOf(number);
        int at = parentLine == 0 ? FirstKey() : parentLine;
        // With what is below it: the keys of a mapping go with it.
        FormatException missing = Assert.Throws<FormatException>(() => Parse([.. lines[..(number - 1)], .. lines[end..]]));
        bool isOnly = parentLine > 0 && Enumerable.Range(1, lines.Length).Count(n => KeyLine().IsMatch(lines[n - 1]) && ParentOf(n) == (parent, parentLine)) == 1;
        string where = number == at ? $"Line {number} " : $"Line {at} ";
        Assert.StartsWith(where, missing.Message, StringComparison.Ordinal);
        Assert.Contains(isOnly ? "must have keys of its own" : $"lacks the key '{key}'", missing.Message, StringComparison.Ordinal);
        Assert.True(indent % 2 == 0);
    }

    [Theory]
    [MemberData(nameof(KeyLines))]
    public void A_key_that_is_misspelt_is_told_with_its_line_and_those_that_are_known(int number)
    {
        (string key, _, _) = KeyAt(number);
        string[] lines = Lines();
        foreach (string wrong in (string[])[key + "s", char.ToUpperInvariant(key[0]) + key[1..], key[1..], key.Contains('-', StringComparison.Ordinal) ? key.Replace('-', '_') : key + "-"])
        {
            lines[number - 1] = ReplaceKey(Lines()[number - 1], key, wrong);
            string message = Assert.Throws<FormatException>(() => Parse(lines)).Message;
            Assert.StartsWith($"Line {number} of the policy: '", message, StringComparison.Ordinal);
            Assert.Contains($"{wrong}' is no key that is known here. Known are: ", message, StringComparison.Ordinal);
            Assert.Contains(key, message[message.IndexOf("Known", StringComparison.Ordinal)..], StringComparison.Ordinal);
        }
    }

    [Theory]
    [MemberData(nameof(KeyLines))]
    public void A_key_that_stands_there_twice_is_told_with_its_line(int number)
    {
        (string key, _, int end) = KeyAt(number);
        string[] lines = Lines();
        string[] twice = [.. lines[..end], .. lines[(number - 1)..end], .. lines[end..]];
        Assert.Contains($"Line {end + 1} of the policy has the key '", Assert.Throws<FormatException>(() => Parse(twice)).Message, StringComparison.Ordinal);
        Assert.Contains($"{key}' a second time", Assert.Throws<FormatException>(() => Parse(twice)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(KeyLines))]
    public void A_value_of_another_kind_is_told_with_its_line(int number)
    {
        (string key, int indent, int end) = KeyAt(number);
        string[] lines = Lines();
        string before = new string(' ', indent) + key + ":";
        foreach (string value in (string[])["", " []", " {}", " {a: b}", " [a, b]", " [[]]", " [{}]", " ~", " -1", " 1.5", " 007", " true", " 99999999999999999999", " \"\"", " 3 fortnights", " 2 day", " 1 days", " 10", " 5 Working", " 1 TB", " one"])
        {
            // An empty list is a list, and any text a name.
            if (Allows(key, value))
                continue;
            Exception? refused = Record.Exception(() => Parse([.. lines[..(number - 1)], before + value, .. lines[end..]]));
            Assert.True(
                refused is FormatException && refused.Message.StartsWith($"Line {number} of the policy: '", StringComparison.Ordinal) && refused.Message.Contains(key, StringComparison.Ordinal),
                $"{key}:{value} gives {refused?.Message ?? "a policy"}");
        }
    }

    public static TheoryData<string, string, string> OutOfBounds => new()
    {
        { "version: 1", "version: 2", "'version' is '2', and must be a whole number from 1 to 1." },
        { "fresh: 7 days", "fresh: 32 days", "'time.fresh' is '32 days', and must be from 1 minute to 31 days." },
        { "fresh: 7 days", "fresh: 0 days", "'time.fresh' is '0 days', and must be from 1 minute to 31 days." },
        { "tolerance: 10 minutes", "tolerance: 25 hours", "'time.tolerance' is '25 hours', and must be from 0 minutes to 1 day." },
        { "order: until-released", "order: until-silence", "'holds.order' is 'until-silence', and must be one of: until-released, until-preserved." },
        { "order: until-released", "order: never", "'holds.order' is 'never'" },
        { "letter: until-silence", "letter: silence", "'holds.letter' is 'silence', and must be one of: until-released, until-preserved, until-silence, never." },
        { "copies: 2", "copies: 0", "'preserved.copies' is '0', and must be a whole number from 1 to 10." },
        { "unreadable: 0 B", "unreadable: 9007199254740992 GiB", "'preserved.unreadable' is" },
        { "accepted-by: [court, ", "accepted-by: [judge, ", "'preserved.accepted-by[0]' is 'judge', and must be one of: provider, customer," },
        { "accepted-by: [court, ", "accepted-by: [court, court, ", "'preserved.accepted-by[1]' stands in the list already." },
        { "to: [customer, counsel, authority, court, users]", "to: []", "'notices.to' names nobody" },
        { "count: 3", "count: 0", "'notices.on-silence.count' is '0'" },
        { "days: 20 working", "days: 0 working", "'notices.on-silence.days' is '0 working'" },
        { "days: 20 working", "days: 20 working days", "'notices.on-silence.days' is '20 working days', and must be a number of days and which: '10 working', '30 calendar'." },
        { "delivery: delivered", "delivery: failed", "'notices.delivery' is 'failed'" },
        { "authorities: []", "authorities: [abcd]", "'time.authorities[0]' is no SHA-256" },
        { "by: []", "by: [alice]", "'approvals.by[0]' is no key id" },
        { "by: []", $"by: [\"{KeyIds[0]}\"]", "'approvals.by' names 1, and 2 must approve" },
        { "cooling-off: 14 days", "cooling-off: 15 days", "'changes.wait' is less than 'cooling-off'" },
        { "wait: 14 days", "wait: 13 days", "'changes.wait' is less than 'cooling-off'" },
        { "authority: []", "authority: [court]", "'superiors.authority' has a court below an authority" },
        { "superiors:", "superiors:\n  customer: [counsel]", "'superiors.customer' is no key that is known here." },
    };

    [Theory]
    [MemberData(nameof(OutOfBounds))]
    public void What_lies_out_of_bounds_or_leads_nowhere_is_refused_by_its_line(string right, string wrong, string reason)
    {
        Assert.Contains(right, Document, StringComparison.Ordinal);
        FormatException refused = Assert.Throws<FormatException>(() => Parse([Document.Replace(right, wrong, StringComparison.Ordinal)]));
        Assert.Contains(reason, refused.Message, StringComparison.Ordinal);
        // The line that it names is one of those that were changed, or where the other half stands.
        Match named = Named().Match(refused.Message);
        int line = int.Parse(named.Groups["line"].Value, CultureInfo.InvariantCulture);
        Assert.Contains(named.Groups["key"].Value + ":", Document.Replace(right, wrong, StringComparison.Ordinal).Split('\n')[line - 1], StringComparison.Ordinal);
    }

    [Fact]
    public void More_approvals_of_a_change_than_there_are_people_are_refused()
    {
        string text = Document.Replace("by: []", $"by: [{string.Join(", ", KeyIds[..2])}]", StringComparison.Ordinal);
        Assert.Equal(KeyIds[..2], Parse([text]).Approvals.By, StringComparer.Ordinal);
        Assert.Contains("'changes.approvals' asks for 3 of the 2", Assert.Throws<FormatException>(() => Parse([text.Replace("  approvals: 2", "  approvals: 3", StringComparison.Ordinal)])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_same_in_one_line_each_is_the_same_policy()
    {
        const string Short =
            """
            version: 1
            name: Default
            time: {authorities: [], fresh: 7 days, tolerance: 10 minutes}
            holds: {order: until-released, request: until-silence, letter: until-silence}
            preserved: {copies: 2, verified: 90 days, unreadable: 0 B, accepted-by: [court, authority, customer, counsel]}
            notices:
              to: [customer, counsel, authority, court, users]
              when-preserved: {count: 1, days: 10 working, apart: 0 days}
              on-silence: {count: 3, days: 20 working, apart: 14 days}
              delivery: delivered
            objections: {block: [customer, counsel, authority, court, users, insurer]}
            approvals: {requested-by: [provider], count: 2, by: [], within: 30 days}
            cooling-off: 14 days
            clearance: {valid: 24 hours}
            superiors: {court: [authority, counsel, customer, users, insurer, provider, custodian], authority: []}
            changes: {approvals: 2, wait: 14 days}

            """;
        PreservationPolicy policy = Parse([Short]);
        Assert.NotEqual(PreservationPolicy.Default.Digest, policy.Digest);
        Assert.Equal(PreservationPolicy.Default.Holds, policy.Holds);
        Assert.Equal(PreservationPolicy.Default.Notices.OnSilence, policy.Notices.OnSilence);
        Assert.Equal(PreservationPolicy.Default.Superiors[PartyRole.Court], policy.Superiors[PartyRole.Court]);
        Assert.Equal((1 << 20) * 3L, Parse([Short.Replace("0 B", "3 MiB", StringComparison.Ordinal)]).Preserved.Unreadable);
        Assert.Equal(Duration.FromHours(1), Parse([Short.Replace("24 hours", "1 hour", StringComparison.Ordinal)]).Clearance.Valid);
        Assert.Equal(new NoticeTerm(3, 30, WindowUnit.Calendar, Duration.FromDays(14)), Parse([Short.Replace("20 working", "30 calendar", StringComparison.Ordinal)]).Notices.OnSilence);
    }

    /// <summary>Whatever is done to the document, the answer is a policy or a line.</summary>
    [Fact]
    public void No_text_leads_astray() => Prop.ForAll(
        Gen.Zip(Gen.Choose(0, Document.Length), Gen.Elements("[", "]", "{", "}", ":", "-", "#", "'", "\"", "&a", "*a", "!", "\n", "\t", " ", "0", "court", "days", "\u2028", "\0")).ListOf().ToArbitrary(), changes =>
        {
            var text = new StringBuilder(Document);
            foreach ((int at, string put) in changes.Take(4))
                text.Insert(Math.Min(at, text.Length), put);
            try
            {
                _ = Parse([text.ToString()]);
            }
            catch (FormatException e)
            {
                Assert.Contains("the policy", e.Message, StringComparison.Ordinal);
            }
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(2000));

    /// <summary>The page of the rules names each key with the default's value.</summary>
    [Fact]
    public void Every_rule_is_documented_with_its_default()
    {
        string page = File.ReadAllText(Path.Combine(RepositoryRoot(), "docs", "policy.md"));
        string[] lines = Lines();
        foreach (int number in KeyLines.Select(row => row.Data))
        {
            (string key, _, int end) = KeyAt(number);
            string value = lines[number - 1][(lines[number - 1].IndexOf(':', StringComparison.Ordinal) + 1)..].Trim();
            if (value.Length == 0)
                continue;
            string full = FullName(number);
            string row = Assert.Single(page.Split('\n'), line => line.StartsWith($"| `{full}` |", StringComparison.Ordinal));
            // That list is said in words.
            Assert.Contains(full == "superiors.court" ? "all roles but `court`" : $"| `{value}` |", row, StringComparison.Ordinal);
            Assert.True(end >= number && key.Length > 0);
        }
    }

    private static string RepositoryRoot([CallerFilePath] string here = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "..", "..", ".."));

    private static bool Allows(string key, string value) => key switch
    {
        "name" => value is " ~" or " -1" or " 1.5" or " 007" or " true" or " 99999999999999999999" or " 3 fortnights" or " 2 day" or " 1 days" or " 10" or " 5 Working" or " 1 TB" or " one",
        "authorities" or "by" or "block" or "court" or "authority" or "accepted-by" => value is " []",
        "count" or "copies" => value is " 10",
        // In the changes.
        "approvals" => value is " 10",
        _ => false,
    };

    private static PreservationPolicy Parse(string[] lines) => PreservationPolicy.Parse(Encoding.UTF8.GetBytes(string.Join('\n', lines)));

    private static string[] Lines() => Document.Split('\n');

    private static int FirstKey() => Array.FindIndex(Lines(), KeyLine().IsMatch) + 1;

    /// <summary>The key on a line, its indent, and the line after the last that belongs to it, all counted from 1; as an index, the first that does not.</summary>
    private static (string Key, int Indent, int End) KeyAt(int number)
    {
        string[] lines = Lines();
        Match match = KeyLine().Match(lines[number - 1]);
        int indent = match.Groups["indent"].Length;
        int end = number;
        while (end < lines.Length && lines[end].Length > 0 && lines[end].Length - lines[end].TrimStart().Length > indent)
            end++;
        return (match.Groups["key"].Value, indent, end);
    }

    private static (string Name, int Line) ParentOf(int number)
    {
        string[] lines = Lines();
        int indent = KeyAt(number).Indent;
        for (int n = number - 1; n >= 1 && indent > 0; n--)
        {
            if (KeyLine().IsMatch(lines[n - 1]) && KeyAt(n).Indent < indent)
                return (KeyAt(n).Key, n);
        }

        return ("", 0);
    }

    private static string FullName(int number) => ParentOf(number) is (_, > 0 and var line) ? $"{FullName(line)}.{KeyAt(number).Key}" : KeyAt(number).Key;

    private static string ReplaceKey(string line, string key, string other) => line.Replace(key + ":", other + ":", StringComparison.Ordinal);

    [GeneratedRegex("^Line (?<line>[0-9]+) of the policy: '([a-z-]+\\.)*(?<key>[a-z-]+)", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Named();

    [GeneratedRegex("^(?<indent> *)(?<key>[a-z-]+):", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, 1000)]
    private static partial Regex KeyLine();
}
