using System.Globalization;
using System.Text;
using Evidence.Platform;

namespace Evidence.Ledger.Witnesses;

/// <summary>
/// Whom a verifier trusts (c2sp.org/tlog-policy): the logs that he accepts, the witnesses that he knows, and how many of them, and which, make a quorum. It is
/// the verifier's own: a log that brings its policy along vouches for itself.
/// </summary>
public sealed class WitnessPolicy
{
    /// <summary>The longest policy that is read, in bytes.</summary>
    public const int MaximumLength = 1 << 20;

    internal WitnessPolicy(IReadOnlyList<PolicyLog> logs, IReadOnlyList<PolicyWitness> witnesses, IReadOnlyList<PolicyGroup> groups, string? quorum) =>
        (Logs, Witnesses, Groups, Quorum) = (logs, witnesses, groups, quorum);

    /// <summary>The logs; where there is none, which log is meant must be known from elsewhere.</summary>
    public IReadOnlyList<PolicyLog> Logs { get; }

    /// <summary>The witnesses.</summary>
    public IReadOnlyList<PolicyWitness> Witnesses { get; }

    /// <summary>The groups; each names only witnesses, and groups before it.</summary>
    public IReadOnlyList<PolicyGroup> Groups { get; }

    /// <summary>The witness or group that must have cosigned; null where none need have.</summary>
    public string? Quorum { get; }

    /// <summary>Reads a policy.</summary>
    /// <exception cref="FormatException">It is no policy; the message names the line.</exception>
    public static WitnessPolicy Parse(ReadOnlySpan<byte> bytes) => new PolicyParser().Parse(bytes);

    /// <summary>Reads a policy's file.</summary>
    /// <exception cref="EvidenceException">There is none, or it cannot be read (<see cref="ErrorCode.PolicyInvalid"/>).</exception>
    public static WitnessPolicy Load(string path)
    {
        try
        {
            return Parse(SmallFile.Read(path, MaximumLength));
        }
        catch (FormatException e)
        {
            throw new EvidenceException(ErrorCode.PolicyInvalid, $"{path} is no policy: {e.Message}", e);
        }
    }

    /// <summary>Writes a policy: which logs, which witnesses, and how many of these must have cosigned.</summary>
    /// <param name="logs">The logs' keys.</param>
    /// <param name="witnesses">The witnesses.</param>
    /// <param name="quorum">How many of them, from 1 to their number; 0 where there is none.</param>
    /// <returns>The file's bytes.</returns>
    /// <exception cref="FormatException">That is no policy: two have one name or key, or the quorum is more than there are.</exception>
    public static byte[] Write(IReadOnlyCollection<VerifierKey> logs, IReadOnlyList<PolicyWitness> witnesses, int quorum)
    {
        ArgumentNullException.ThrowIfNull(logs);
        ArgumentNullException.ThrowIfNull(witnesses);
        if (quorum < Math.Min(1, witnesses.Count) || quorum > witnesses.Count)
            throw new FormatException($"A quorum of {quorum.ToString(CultureInfo.InvariantCulture)} cannot be made of {witnesses.Count} witnesses.");
        const string Group = "witnesses";
        var text = new StringBuilder();
        foreach (VerifierKey key in logs)
            text.Append(CultureInfo.InvariantCulture, $"log {key}\n");
        foreach (PolicyWitness witness in witnesses)
            text.Append(CultureInfo.InvariantCulture, $"witness {witness.Name} {witness.Key}{(witness.Url is null ? "" : " " + witness.Url)}\n");
        if (witnesses.Count > 1)
            text.Append(CultureInfo.InvariantCulture, $"group {Group} {quorum} {string.Join(' ', witnesses.Select(witness => witness.Name))}\n");
        text.Append(CultureInfo.InvariantCulture, $"quorum {(witnesses.Count == 0 ? PolicyParser.None : witnesses.Count == 1 ? witnesses[0].Name : Group)}\n");
        byte[] bytes = Encoding.UTF8.GetBytes(text.ToString());
        WitnessPolicy read = Parse(bytes);
        return read.Logs.Select(log => log.Key).SequenceEqual(logs) && read.Witnesses.SequenceEqual(witnesses)
            ? bytes
            : throw new FormatException("A name with spaces or control characters in it cannot be written.");
    }

    /// <summary>The keys that the policy accepts for a log; none where it does not know that log.</summary>
    public IReadOnlyList<VerifierKey> KeysOf(string origin) =>
        [.. Logs.Select(log => log.Key).Where(key => string.Equals(key.Name, origin, StringComparison.Ordinal))];

    /// <summary>A witness by what the policy calls it; without a name its only one.</summary>
    /// <exception cref="EvidenceException">There is none of that name, or, without one, not just one (<see cref="ErrorCode.Usage"/>).</exception>
    public PolicyWitness FindWitness(string? name)
    {
        PolicyWitness[] found = [.. Witnesses.Where(witness => name is null || string.Equals(witness.Name, name, StringComparison.Ordinal))];
        return found is [var only]
            ? only
            : throw new EvidenceException(
                ErrorCode.Usage,
                $"{(name is null ? "Say which witness is meant" : $"The policy has no witness named {name}")}: it has {string.Join(", ", Witnesses.Select(witness => witness.Name).DefaultIfEmpty("none"))}.");
    }

    /// <summary>Judges a signed checkpoint: which log signed it, which witnesses cosigned it, and whether they make the quorum.</summary>
    /// <param name="note">The note.</param>
    /// <param name="logKeys">The log's keys, known from elsewhere; used where the policy lists no log at all.</param>
    /// <exception cref="FormatException">The note's text is no checkpoint.</exception>
    public PolicyVerdict Judge(SignedNote note, IReadOnlyCollection<VerifierKey>? logKeys = null)
    {
        ArgumentNullException.ThrowIfNull(note);
        string origin = Checkpoint.Parse(note.Text).Origin;
        NoteVerdict log = NoteVerifier.Verify(
            note, Logs.Count > 0 ? KeysOf(origin) : [.. (logKeys ?? []).Where(key => string.Equals(key.Name, origin, StringComparison.Ordinal))]);
        NoteVerdict cosigned = NoteVerifier.Verify(note, [.. Witnesses.Select(witness => witness.Key)]);
        IReadOnlyList<Cosignature> cosignatures = Cosignature.Read(note, cosigned);
        return new PolicyVerdict(
            this, log, [.. Witnesses.Select(witness => new WitnessVerdict(witness, StatusOf(witness.Key, cosigned), cosignatures.FirstOrDefault(c => c.Key.Equals(witness.Key))?.Time))]);
    }

    private static WitnessStatus StatusOf(VerifierKey key, NoteVerdict verdict) =>
        verdict.Failed.Contains(key) ? WitnessStatus.Wrong
        : verdict.Verified.Contains(key) ? WitnessStatus.Cosigned
        : verdict.NotChecked.Contains(key) ? WitnessStatus.NotChecked
        : WitnessStatus.Absent;
}

/// <summary>A log of a policy.</summary>
/// <param name="Key">Its key; the key's name is the log's origin.</param>
/// <param name="Url">Where it is; null where the policy does not say.</param>
public sealed record PolicyLog(VerifierKey Key, string? Url);

/// <summary>A witness of a policy.</summary>
/// <param name="Name">What the policy calls it; means nothing outside.</param>
/// <param name="Key">Its key.</param>
/// <param name="Url">Its submission prefix (c2sp.org/tlog-witness); null where the policy does not say.</param>
public sealed record PolicyWitness(string Name, VerifierKey Key, string? Url);

/// <summary>A group of a policy: it has witnessed what enough of its members have witnessed.</summary>
/// <param name="Name">What the policy calls it.</param>
/// <param name="Threshold">How many are enough, from 1 to their number.</param>
/// <param name="Members">Witnesses, and groups before this one.</param>
public sealed record PolicyGroup(string Name, int Threshold, IReadOnlyList<string> Members);
