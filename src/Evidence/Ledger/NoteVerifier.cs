using System.Text;

namespace Evidence.Ledger;

/// <summary>Judges a note's signatures by the rules of c2sp.org/signed-note.</summary>
public static class NoteVerifier
{
    /// <summary>
    /// Checks every line of a known key. Lines of unknown keys are ignored, as signed-note wants it; one failing line of a known key
    /// condemns the whole note.
    /// </summary>
    public static NoteVerdict Verify(SignedNote note, IReadOnlyCollection<VerifierKey> keys)
    {
        ArgumentNullException.ThrowIfNull(note);
        ArgumentNullException.ThrowIfNull(keys);
        byte[] text = Encoding.UTF8.GetBytes(note.Text);
        List<VerifierKey> verified = [], failed = [], notChecked = [];
        foreach (NoteSignature signature in note.Signatures)
        {
            // Ids are short: two known keys may share name and id, and then either may have signed.
            VerifierKey[] candidates = [.. keys.Where(key => key.Matches(signature)).Distinct()];
            if (candidates.Length == 0)
                continue;
            VerifierKey[] able = [.. candidates.Where(key => key.IsCheckable)];
            if (able.FirstOrDefault(key => key.Verify(text, signature.Signature.Span)) is { } signer)
                verified.Add(signer);
            else if (able.Length < candidates.Length)
                notChecked.AddRange(candidates.Except(able));
            else
                failed.AddRange(candidates);
        }

        return new NoteVerdict([.. verified.Distinct()], [.. failed.Distinct()], [.. notChecked.Distinct()]);
    }
}

/// <summary>Which known keys signed a note.</summary>
/// <param name="Verified">Keys whose signature was checked and is right.</param>
/// <param name="Failed">Keys whose signature line is wrong. Not empty means: reject the note.</param>
/// <param name="NotChecked">Ed25519 keys whose line could not be checked, for want of OpenSSL's libcrypto on this machine.</param>
public sealed record NoteVerdict(
    IReadOnlyList<VerifierKey> Verified, IReadOnlyList<VerifierKey> Failed, IReadOnlyList<VerifierKey> NotChecked)
{
    /// <summary>Whether the note is accepted: some known key's signature is right, and none is wrong.</summary>
    public bool IsAccepted => Verified.Count > 0 && Failed.Count == 0;
}
