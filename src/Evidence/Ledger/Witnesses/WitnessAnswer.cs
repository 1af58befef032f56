using System.Text;
using Evidence.Canonical;

namespace Evidence.Ledger.Witnesses;

/// <summary>A witness's answer.</summary>
/// <param name="Status">Its HTTP status: 200 with cosignatures, or why there is none.</param>
/// <param name="ContentType">The body's type.</param>
/// <param name="Body">The body: of 200, cosignature lines; of 409, the size that it cosigned last; else a sentence.</param>
public sealed record WitnessAnswer(int Status, string ContentType, ReadOnlyMemory<byte> Body)
{
    /// <summary>The request is malformed, or its old size is above the new one.</summary>
    public const int BadRequest = 400;

    /// <summary>No key that is trusted for the log signed the checkpoint.</summary>
    public const int Forbidden = 403;

    /// <summary>The log is not known here.</summary>
    public const int NotFound = 404;

    /// <summary>The old size is not the one that was cosigned last.</summary>
    public const int Conflict = 409;

    /// <summary>The checkpoint does not follow the one that was cosigned last.</summary>
    public const int Unprocessable = 422;

    /// <summary>The content type of a 409's body.</summary>
    public const string SizeType = "text/x.tlog.size";

    private const string TextType = "text/plain; charset=utf-8";

    /// <summary>The body as text.</summary>
    public string Text => Encoding.UTF8.GetString(Body.Span);

    internal static WitnessAnswer Ok(string text) => new(200, TextType, Encoding.UTF8.GetBytes(text));

    internal static WitnessAnswer Ok(ReadOnlyMemory<byte> note) => new(200, TextType, note);

    internal static WitnessAnswer Refused(int status, string reason) => new(status, TextType, Encoding.UTF8.GetBytes(reason + "\n"));

    internal static WitnessAnswer Recorded(long size) => new(Conflict, SizeType, Encoding.ASCII.GetBytes(DecimalText.Format(size) + "\n"));
}
