using System.Globalization;
using System.Text;
using Evidence.Canonical;

namespace Evidence.Ledger.Witnesses;

/// <summary>Reads policies (c2sp.org/tlog-policy), line by line. Names are byte strings, compared as such, whatever they mean to a reader.</summary>
internal sealed class PolicyParser
{
    /// <summary>The name for no quorum.</summary>
    internal const string None = "none";

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly List<PolicyLog> logs = [];
    private readonly List<PolicyWitness> witnesses = [];
    private readonly List<PolicyGroup> groups = [];

    /// <summary>What is defined so far, and whether it is a member of a group.</summary>
    private readonly Dictionary<string, bool> names = new(StringComparer.Ordinal);

    /// <summary>The same as they are read: where two read the same, one would count for the other.</summary>
    private readonly HashSet<string> shown = new(StringComparer.Ordinal);

    private string? quorum;
    private int number;

    internal WitnessPolicy Parse(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > WitnessPolicy.MaximumLength)
            throw new FormatException($"The policy is longer than {WitnessPolicy.MaximumLength} bytes.");
        while (!bytes.IsEmpty)
        {
            number++;
            int end = bytes.IndexOf((byte)'\n');
            // A file that was cut short can name a smaller quorum than was meant.
            if (end < 0)
                throw Wrong("does not end in a line feed");
            Read(bytes[..end]);
            bytes = bytes[(end + 1)..];
        }

        if (quorum is null)
            throw new FormatException("The policy has no line 'quorum'.");
        return new WitnessPolicy(logs, witnesses, groups, string.Equals(quorum, None, StringComparison.Ordinal) ? null : quorum);
    }

    private void Read(ReadOnlySpan<byte> line)
    {
        foreach (byte octet in line)
        {
            if (octet is < (byte)' ' and not (byte)'\t' or 0x7F)
                throw Wrong("holds a control character");
        }

        string text = Encoding.Latin1.GetString(line).Trim(' ', '\t');
        if (text.Length == 0 || text[0] == '#')
            return;
        string[] items = text.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
        switch (items)
        {
            case ["log", var key]:
                AddLog(key, null);
                break;
            case ["log", var key, var url]:
                AddLog(key, url);
                break;
            case ["witness", var name, var key]:
                AddWitness(name, key, null);
                break;
            case ["witness", var name, var key, var url]:
                AddWitness(name, key, url);
                break;
            case ["group", var name, var threshold, _, ..]:
                AddGroup(name, threshold, items[3..]);
                break;
            case ["quorum", var name]:
                SetQuorum(name);
                break;
            case ["log" or "witness" or "group" or "quorum", ..]:
                throw Wrong($"has too few or too many items for '{items[0]}'");
            default:
                throw Wrong("is neither 'log', 'witness', 'group' nor 'quorum'");
        }
    }

    private void AddLog(string text, string? url)
    {
        VerifierKey key = ReadKey(text);
        if (key.IsWitness)
            throw Wrong("names a witness's key as a log's");
        if (logs.Any(log => log.Key.Key.SequenceEqual(key.Key)))
            throw Wrong("names a log's key a second time");
        logs.Add(new PolicyLog(key, ReadUrl(url)));
    }

    private void AddWitness(string name, string text, string? url)
    {
        VerifierKey key = ReadKey(text);
        if (!key.IsWitness)
            throw Wrong("names a key that makes no cosignatures: a witness's has type 04");
        if (witnesses.Any(witness => witness.Key.Key.SequenceEqual(key.Key)))
            throw Wrong("names a witness's key a second time");
        Define(name);
        witnesses.Add(new PolicyWitness(Shown(name), key, ReadUrl(url)));
    }

    private void AddGroup(string name, string threshold, string[] members)
    {
        foreach (string member in members)
        {
            if (!names.TryGetValue(member, out bool isMember))
                throw Wrong($"names '{Shown(member)}', which no line before it defines");
            // So that each witness counts once.
            if (isMember)
                throw Wrong($"names '{Shown(member)}', which is a member of a group already");
            names[member] = true;
        }

        long enough = threshold switch
        {
            "any" => 1,
            "all" => members.Length,
            _ => DecimalText.TryParse(threshold, out long given) && given >= 1 && given <= members.Length
                ? given
                : throw Wrong(string.Create(CultureInfo.InvariantCulture, $"wants neither 'any', 'all' nor a number from 1 to {members.Length} of its members")),
        };
        Define(name);
        groups.Add(new PolicyGroup(Shown(name), (int)enough, [.. members.Select(Shown)]));
    }

    private void SetQuorum(string name)
    {
        if (quorum is not null)
            throw Wrong("is a second quorum");
        if (!string.Equals(name, None, StringComparison.Ordinal) && !names.ContainsKey(name))
            throw Wrong($"names '{Shown(name)}', which no line before it defines");
        quorum = Shown(name);
    }

    private void Define(string name)
    {
        if (string.Equals(name, None, StringComparison.Ordinal))
            throw Wrong("defines 'none', which is the name for no quorum");
        if (!names.TryAdd(name, false) || !shown.Add(Shown(name)))
            throw Wrong($"defines '{Shown(name)}' a second time");
    }

    private VerifierKey ReadKey(string text)
    {
        try
        {
            return VerifierKey.Parse(StrictUtf8.GetString(Encoding.Latin1.GetBytes(text)));
        }
        catch (Exception e) when (e is FormatException or DecoderFallbackException)
        {
            throw new FormatException($"{Wrong("names a key that cannot be read").Message} {e.Message}", e);
        }
    }

    private string? ReadUrl(string? text)
    {
        if (text is null)
            return null;
        return Uri.TryCreate(Shown(text), UriKind.Absolute, out Uri? url) && (url.Scheme == Uri.UriSchemeHttp || url.Scheme == Uri.UriSchemeHttps)
            ? Shown(text)
            : throw Wrong($"names '{Shown(text)}', which is no URL of http or https");
    }

    /// <summary>A name as people read it: UTF-8 where it is that, else each byte by itself, so that two names stay two.</summary>
    private static string Shown(string name)
    {
        try
        {
            return StrictUtf8.GetString(Encoding.Latin1.GetBytes(name));
        }
        catch (DecoderFallbackException)
        {
            return string.Concat(name.Select(c => c < 0x80 ? c.ToString() : $"\\x{(int)c:x2}"));
        }
    }

    private FormatException Wrong(string reason) => new(string.Create(CultureInfo.InvariantCulture, $"Line {number} of the policy {reason}."));
}
